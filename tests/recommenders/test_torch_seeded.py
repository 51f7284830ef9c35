import torch

from igmc.recommenders.torch_seeded import torch_seeded


def test_draws_of_torch_follow_from_seed_and_name_and_leave_no_trace():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    draws = []
    for seed, name in ((1, "a"), (1, "a"), (2, "a"), (1, "b")):
        with torch_seeded(seed, name):
            draws.append(torch.rand(1).item())
    assert draws[0] == draws[1]
    assert len(set(draws)) == 3
    assert all(a != expected.item() for a in draws)
    assert torch.rand(1) == expected
