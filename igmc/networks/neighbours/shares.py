r"""The share of each neighbour in the step that the neighbours network takes from the biases.

Let every neighbour count by a presence between 0, as if it were not there, and 1. The share of neighbour t is
the integral of the slope of the step f in its presence while all rise together,

.. math:: s_t = \int_0^1 \frac{\partial f(\alpha, ..., \alpha)}{\partial p_t} d\alpha,

(integrated gradients; Sundararajan, Taly & Yan, ICML 2017), taken in pieces, each brought to the
change of f over it. So the shares add up to f with all neighbours less f with none: what is shown is the
whole of the step and nothing else.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from math import inf
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from igmc.loading import NeighbourBatch
from igmc.models import NeighboursEnsemble
from igmc.statistics import NeighbourRows

__all__ = ["NeighbourShares", "neighbour_shares", "without_each"]

PIECES = 32  # of the integral, shorter where few are present, as most changes there


class NeighbourShares(NamedTuple):
    """The step of one pair, taken apart; all in deviations.

    Attributes:
        users: float64 [n], of the raters of the item; items: float64 [m], of the items of the user.
        alone: the step without any neighbour.
    """

    users: NDArray[np.float64]
    items: NDArray[np.float64]
    alone: float


def neighbour_shares(
    models: Sequence[NeighboursEnsemble], inputs: NeighbourRows, *, deadline: float = inf
) -> NeighbourShares:
    """The shares of the neighbours of one pair, means over the models.

    Args:
        models: of the M checkpoints.
        inputs: of a single pair.
        deadline: on the clock of `time.monotonic`.

    Raises:
        TimeoutError: after the deadline.
    """
    batch = NeighbourBatch(inputs, np.zeros(1, np.int64), torch.zeros(1))
    sizes = len(inputs.users.node), len(inputs.items.node)
    total = [np.zeros(size) for size in sizes]
    alone = 0.0
    for model in models:
        here, device = batch.to(model.offset.device), model.offset.device
        ends = (np.arange(PIECES + 1) / PIECES) ** 2
        steps = [_step(model, here, sizes, end) for end in ends.tolist()]
        alone += steps[0] / len(models)
        for k, (low, high) in enumerate(itertools.pairwise(ends.tolist())):
            _hurry(deadline)
            presence = [torch.full((size,), (low + high) / 2, device=device) for size in sizes]
            for one in presence:
                one.requires_grad_()
            step = model(here, (presence[0], presence[1])).sum()
            slopes = torch.autograd.grad(step, presence, materialize_grads=True)
            changes = [slope.double().cpu().numpy() * (high - low) for slope in slopes]
            missed = steps[k + 1] - steps[k] - sum(float(change.sum()) for change in changes)
            for sums, change in zip(total, changes, strict=True):
                sums += (change + missed / max(sum(sizes), 1)) / len(models)
    return NeighbourShares(total[0], total[1], alone)


def _hurry(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise TimeoutError


def _step(model: NeighboursEnsemble, batch: NeighbourBatch, sizes: tuple[int, int], presence: float) -> float:
    """The step with all neighbours present to some extent."""
    everyone = [torch.full((size,), presence, device=model.offset.device) for size in sizes]
    with torch.no_grad():
        return float(model(batch, (everyone[0], everyone[1])).sum())


def without_each(
    models: Sequence[NeighboursEnsemble], inputs: NeighbourRows, *, deadline: float = inf
) -> NeighbourShares:
    """By how much the step would be less without each neighbour alone; these do not add up to anything.

    The statistics of the others stay as they are. Arguments and errors as in `neighbour_shares`.
    """
    sizes = len(inputs.users.node), len(inputs.items.node)
    changes = [np.zeros(size) for size in sizes]
    alone = 0.0
    batch = NeighbourBatch(inputs, np.zeros(1, np.int64), torch.zeros(1))
    for model in models:
        here, device = batch.to(model.offset.device), model.offset.device
        with torch.no_grad():
            whole = [torch.ones(size, device=device) for size in sizes]
            step = float(model(here, (whole[0], whole[1])))
            for side, size in enumerate(sizes):
                for k in range(size):
                    _hurry(deadline)
                    presence = [one.clone() for one in whole]
                    presence[side][k] = 0.0
                    change = step - float(model(here, (presence[0], presence[1])))
                    changes[side][k] += change / len(models)
            nobody = [torch.zeros(size, device=device) for size in sizes]
            alone += float(model(here, (nobody[0], nobody[1]))) / len(models)
    return NeighbourShares(changes[0], changes[1], alone)
