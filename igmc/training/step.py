"""The gradients of one step, where several ranks share its batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from igmc.loading import Batch, NeighbourBatch
from igmc.models import IGMC, NeighboursEnsemble
from igmc.ranks import Ranks

__all__ = ["ensemble_gradients", "step_gradients"]


def step_gradients(model: IGMC, batch: Batch, arr_weight: float, ranks: Ranks) -> tuple[Tensor, Tensor]:
    """As `IGMC.gradients`, for the batch of all ranks: each rank receives the summed gradients.

    The loss of the whole batch is the mean of those of its parts, each by its pairs, and so are gradients.

    Args:
        model, arr_weight: equal in all ranks.
        batch: this rank's part, which may be empty.
        ranks: that share the batch.
    """
    if ranks.size == 1:
        return model.gradients(batch, arr_weight)
    if len(batch):
        mse, arr = model.gradients(batch, arr_weight)
    else:
        mse, arr = _nothing(model, 2)
    return _summed(model, ranks, mse, arr, share=len(batch) / batch.total)


def ensemble_gradients(model: NeighboursEnsemble, batch: NeighbourBatch, ranks: Ranks) -> Tensor:
    """As `NeighboursEnsemble.gradients`, for the batch of all ranks; see `step_gradients`."""
    if ranks.size == 1:
        return model.gradients(batch)
    mse = model.gradients(batch) if len(batch) else _nothing(model, 1)[0]
    return _summed(model, ranks, mse, mse)[0]


def _nothing(model: nn.Module, losses: int) -> tuple[Tensor, ...]:
    """What an empty part adds: no gradient and no loss."""
    model.zero_grad(set_to_none=True)
    device = next(model.parameters()).device
    return tuple(torch.zeros((), device=device) for _ in range(losses))


def _summed(
    model: nn.Module, ranks: Ranks, one: Tensor, other: Tensor, share: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Put the sums over all ranks into the gradients; returns those of two losses.

    Args:
        share: by which this rank's are multiplied first.
    """
    losses, gradients = torch.stack([one, other]), []
    for parameter in model.parameters():
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        gradients.append(parameter.grad)
    found = [losses, *gradients]
    if share != 1.0:
        torch._foreach_mul_(found, share)
    ranks.add_up(found)
    return losses[0], losses[1]
