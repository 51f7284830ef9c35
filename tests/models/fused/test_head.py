"""The MLP over one pair at a time, its error and its gradients against autograd over all pairs."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numba import njit
from torch import nn

from igmc.models.dropout import dropout, threshold
from igmc.models.fused.head import apply_head, head_gradients, make_head
from tests.models.fused.subgraphs import states
from tests.models.networks import NOISE, make_batch

H, LAYERS, PAIRS = 8, 3, 24
LANES = (0,) * H
INPUTS = 2 * LAYERS * H


@njit(error_model="numpy")
def apply_to_all(lanes, head, key, out, d_out):
    for p in range(len(head.rating)):
        apply_head(lanes, p, head, key, out, d_out)


@pytest.mark.parametrize("rate", [0.0, 0.4])
@pytest.mark.parametrize(("units", "features"), [(2 * H, 0), (11, 3), (1, 1)])
def test_error_and_gradients(units, features, rate):
    batch = make_batch(pairs=PAIRS)
    if features:
        batch = replace(batch, side=torch.from_numpy(states(1, PAIRS, features)))
    torch.manual_seed(0)
    lin1, lin2 = nn.Linear(INPUTS + features, units), nn.Linear(units, 1)
    x = torch.from_numpy(states(2, PAIRS, INPUTS)).requires_grad_()
    out = np.ascontiguousarray(x.detach().numpy().reshape(-1, H))
    d_out = np.full_like(out, 77)
    head = make_head(batch, H, INPUTS, lin1, lin2, threshold(rate))
    apply_to_all(LANES, head, np.uint64(NOISE), out, d_out)

    a = lin1(x if batch.side is None else torch.cat([x, batch.side], dim=1))
    error = lin2(dropout(a.relu(), rate, NOISE))[:, 0] - batch.rating
    error.square().mean().backward()
    torch.testing.assert_close(torch.from_numpy(head.error), error.detach(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(torch.from_numpy(d_out).view(PAIRS, -1), x.grad, rtol=1e-5, atol=1e-6)
    expected = [p.grad for p in (lin1.weight, lin1.bias, lin2.weight, lin2.bias)]
    for found, right in zip(head_gradients(batch, head, x.detach()), expected, strict=True):
        torch.testing.assert_close(found, right, rtol=1e-5, atol=1e-5)


def test_weights_that_are_not_finite_show_in_the_error():
    batch, lin1, lin2 = make_batch(pairs=PAIRS), nn.Linear(INPUTS, H), nn.Linear(H, 1)
    with torch.no_grad():
        lin1.weight[0, 0] = float("nan")
    head = make_head(batch, H, INPUTS, lin1, lin2, 0)
    out = states(2, PAIRS * 2 * LAYERS, H)
    apply_to_all(LANES, head, np.uint64(NOISE), out, np.empty_like(out))
    assert np.isnan(head.error).all()
