"""Written on PyG's own layers: if the network equals it, the network is what the paper's authors ran."""

import pytest
import torch

from igmc.models.twin import PyGTwin
from tests.models.networks import answers, assert_close, make_batch, make_model


@pytest.mark.parametrize("backend", ["torch", "fused"])
@pytest.mark.parametrize("norm", ["none", "relation", "degree"])
@pytest.mark.parametrize("hops", [1, 2])
@pytest.mark.parametrize(
    "options", [{}, {"bases": None}, {"edge_dropout_mode": "both"}, {"edge_dropout": 0.0}]
)
def test_equals_the_pyg_twin(backend, norm, hops, options):
    batch = make_batch(hops=hops)
    model = make_model(norm=norm, hops=hops, **options).train()
    twin = PyGTwin(model).train()
    model.backend = backend
    assert_close(answers(model, model.convs, batch), answers(twin, twin.convs, batch), 1e-5)


@pytest.mark.parametrize("norm", ["none", "degree"])
def test_batch_normalization_and_edge_weights_equal_those_of_the_twin(norm):
    batch, plain = make_batch(), make_model(norm=norm).train()
    for options in (
        {"batch_norm": True},
        {"edge_weight": "rating"},
        {"batch_norm": True, "edge_weight": "rating"},
    ):
        model = make_model(norm=norm, **options).train()
        twin = PyGTwin(model).train()
        torch.testing.assert_close(model(batch), twin(batch), rtol=1e-4, atol=1e-5)
        assert not torch.allclose(model(batch), plain(batch), atol=1e-3), options
        model.eval(), twin.eval()  # each by the statistics that it has gathered
        model.norms.load_state_dict((twin.norms or model.norms).state_dict())
        torch.testing.assert_close(model(batch), twin(batch), rtol=1e-4, atol=1e-5)


def test_the_convolutions_are_copied_and_the_mlp_is_shared():
    model, batch = make_model().eval(), make_batch()
    twin = PyGTwin(model).eval()
    before = twin(batch)
    with torch.no_grad():
        for conv in model.convs:
            conv.root += 1.0
    assert torch.equal(twin(batch), before)
    with torch.no_grad():
        model.lin2.bias += 1.0
    torch.testing.assert_close(twin(batch), before + 1.0)


def test_the_twin_drops_out_in_training_alone():
    twin, one, other = PyGTwin(make_model()), make_batch(noise=1), make_batch(noise=2)
    assert not torch.equal(twin.train()(one), twin(other))
    assert torch.equal(twin.eval()(one), twin(other))
