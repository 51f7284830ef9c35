"""What a rating counts can be asked for gradients: 1 changes nothing, 0 takes the rating away."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from igmc.config import ModelConfig
from igmc.models.igmc import IGMC
from tests.models.test_igmc import make_batch, make_model


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
