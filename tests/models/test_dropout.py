import numpy as np
import torch

from igmc.models.dropout import dropout, edge_masks
from igmc.rng import fold

KEY = 0x9123_4567_89AB_CDEF


def test_masks_are_the_counter_hash_of_the_package():
    with np.errstate(over="ignore"):
        bits = fold(np.uint64(KEY), np.arange(1000, dtype=np.uint64))
    to_user, to_item = edge_masks(1000, 0.3, "direction", KEY, torch.device("cpu"))
    limit = np.uint64(int(0.3 * 2**32))
    np.testing.assert_array_equal(to_user.numpy(), (bits >> np.uint64(32)) >= limit)
    np.testing.assert_array_equal(to_item.numpy(), (bits & np.uint64(0xFFFFFFFF)) >= limit)


def test_share_dropped():
    to_user, to_item = edge_masks(200_000, 0.2, "direction", KEY, torch.device("cpu"))
    for mask in (to_user, to_item):
        assert abs(mask.float().mean().item() - 0.8) < 0.005
    assert abs((to_user & to_item).float().mean().item() - 0.64) < 0.005
    same, again = edge_masks(1000, 0.2, "both", KEY, torch.device("cpu"))
    assert torch.equal(same, again)


def test_units_are_zeroed_and_rescaled():
    x = torch.ones(500, 200)
    y = dropout(x, 0.25, KEY)
    torch.testing.assert_close(y.unique(), torch.tensor([0.0, 1 / 0.75]))
    assert abs(y.mean().item() - 1) < 0.01
    assert not torch.equal(y, dropout(x, 0.25, KEY + 1))
