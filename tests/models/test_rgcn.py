"""The layers against their formula, and what a rating counts: 1 changes nothing, 0 takes it away."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from igmc.config import ModelConfig
from igmc.models.igmc import IGMC
from igmc.models.rgcn import RGCNLayer, make_topology, stack_states
from tests.models.networks import make_batch, make_model


def make_layer(width_in=4, width_out=3, *, bases=2, seed=0) -> RGCNLayer:
    layer = RGCNLayer(width_in, width_out, 5, bases)
    layer.reset_parameters(torch.Generator().manual_seed(seed))
    return layer


def by_formula(batch, layers, norm) -> np.ndarray:
    """The states of the two targets of each pair after each layer, message by message."""
    found = []
    for p in range(len(batch)):
        one = batch.subgraphs[p : p + 1]
        n_users = len(one.user_id)
        user, item = np.repeat(np.arange(n_users), one.degree), n_users + one.edge_item
        messages = [
            *zip(user, item, one.edge_level, strict=True),
            *zip(item, user, one.edge_level, strict=True),
        ]
        x = np.eye(4)[np.concatenate([one.user_label, one.item_label])]
        states = []
        for layer in layers:
            weights = layer.relation_weights().detach().numpy()
            z = x @ layer.root.detach().numpy() + layer.bias.detach().numpy()
            for to, source, level in messages:
                same = [m for m in messages if m[0] == to and (norm == "degree" or m[2] == level)]
                z[to] += x[source] @ weights[level] / (1 if norm == "none" else len(same))
            x = np.tanh(z)
            states.append(x[[0, n_users]])
        found.append(np.concatenate(states, axis=1))
    return np.stack(found)


@pytest.mark.parametrize("norm", ["none", "relation", "degree"])
def test_states_by_the_formula(norm):
    batch, layers = make_batch(pairs=4), [make_layer(4, 3), make_layer(3, 2, bases=None)]
    for layer in layers:
        with torch.no_grad():
            layer.weight *= 0.3
            layer.bias += 0.1
    states = stack_states(layers, make_topology(batch, 5, norm)).detach().numpy()
    assert states.shape == (4, 2, 5)
    np.testing.assert_allclose(states, by_formula(batch, layers, norm), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("bases", [2, None])
def test_penalty_and_weights_of_the_relations(bases):
    layer = make_layer(bases=bases)
    weights = layer.relation_weights()
    assert weights.shape == (5, 4, 3)
    if bases:
        expected = sum(layer.comp[3, b] * layer.weight[b] for b in range(bases))
        torch.testing.assert_close(weights[3], expected)
    expected = sum((weights[r + 1] - weights[r]).square().sum() for r in range(4))
    torch.testing.assert_close(layer.arr_penalty(), expected)


@pytest.mark.parametrize(("mode", "counted"), [("direction", False), ("both", True)])
def test_an_edge_drops_out_of_one_direction_or_of_both(mode, counted):
    batch = make_batch()
    n_users = len(batch.subgraphs.user_id)
    topology = make_topology(batch, 5, "none", edge_dropout=0.3, edge_dropout_mode=mode)
    ones = torch.ones(n_users + len(batch.subgraphs.item_id), 1)
    kept = topology.sums(ones).view(len(ones), 5).sum(dim=1)
    to_users, to_items = kept[:n_users].sum(), kept[n_users:].sum()
    assert 0.6 < to_users / batch.subgraphs.n_edges < 0.8
    assert (to_users == to_items) == counted


def test_equal_generators_draw_equal_layers():
    assert torch.equal(make_layer(seed=1).weight, make_layer(seed=1).weight)
    assert not torch.equal(make_layer(seed=1).weight, make_layer(seed=2).weight)
    assert not make_layer().bias.any()


def without_edge(batch, edge):
    """The batch without one rating, all nodes kept."""
    subgraphs = batch.subgraphs
    row = int(np.searchsorted(np.cumsum(subgraphs.degree), edge, side="right"))
    degree = subgraphs.degree.copy()
    degree[row] -= 1
    fewer = replace(
        subgraphs,
        degree=degree,
        edge_ptr=subgraphs.edge_ptr - (subgraphs.edge_ptr > edge),
        edge_item=np.delete(subgraphs.edge_item, edge),
        edge_level=np.delete(subgraphs.edge_level, edge),
    )
    return replace(batch, subgraphs=fewer)


@pytest.mark.parametrize("norm", ["none", "relation", "degree"])
@pytest.mark.parametrize("bases", [4, None])
def test_one_changes_nothing_and_zero_takes_the_rating_away(norm, bases):
    batch, model = make_batch(pairs=6), make_model(norm=norm, bases=bases).eval().double()
    weight = torch.ones(batch.subgraphs.n_edges, dtype=torch.float64)
    torch.testing.assert_close(model(batch, weight), model(batch), rtol=1e-7, atol=1e-7)
    for edge in range(0, len(weight), 7):
        weight[edge] = 0.0
        expected = model(without_edge(batch, edge))
        torch.testing.assert_close(model(batch, weight), expected, rtol=1e-7, atol=1e-7)
        weight[edge] = 1.0


@pytest.mark.parametrize("norm", ["none", "relation", "degree"])
def test_gradients_equal_finite_differences(norm):
    batch, model = make_batch(pairs=5), make_model(norm=norm).eval().double()
    weight = torch.ones(batch.subgraphs.n_edges, dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(model(batch, weight).sum(), weight)
    step = 1e-5
    with torch.no_grad():
        for edge in range(0, len(weight), 5):
            ends = []
            for sign in (1, -1):
                moved = weight.detach().clone()
                moved[edge] += sign * step
                ends.append(model(batch, moved).sum())
            assert found[edge].item() == pytest.approx(((ends[0] - ends[1]) / (2 * step)).item(), abs=1e-8)
    assert found.abs().max() > 1e-3


def test_weights_drop_out_with_their_edges():
    """Dropped edges stay dropped, whatever they would count; training mode has its masks as ever."""
    batch = make_batch()
    model = IGMC(ModelConfig(mlp_dropout=0.0), n_levels=5, backend="torch").train()
    weight = torch.ones(batch.subgraphs.n_edges, requires_grad=True)
    out = model(batch, weight)
    torch.testing.assert_close(out, model(batch))
    (gradient,) = torch.autograd.grad(out.sum(), weight)
    both = IGMC(ModelConfig(mlp_dropout=0.0, edge_dropout=0.5, edge_dropout_mode="both"), n_levels=5).train()
    (gradient,) = torch.autograd.grad(both(batch, weight).sum(), weight)
    assert 0.4 < (gradient == 0).float().mean() < 0.6


def test_uniform_weights_begin_far_smaller_than_glorot():
    small, large = (
        IGMC(ModelConfig(init=init), n_levels=5, seed=3).layers[1].relation_weights()
        for init in ("uniform", "glorot")
    )
    assert small.abs().max() < 4 * (4 * 32) ** -1.0, "four bases, each factor within 1 / sqrt(4 * 32)"
    assert large.std() > 20 * small.std()
