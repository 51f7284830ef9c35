"""The read-out of both sides on a CPU by compiled kernels, as one step of autograd."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import wait
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from igmc.models.neighbours.kernels import SideWeights, make_scratch, read_side, read_side_back
from igmc.statistics import NeighbourRows
from igmc.threads import pool

__all__ = ["POOLED", "read_sides"]

POOLED = 56
PIECE = 64  # pairs, fewer of which are read before other threads have woken up
CHUNKS = 8  # of a batch, each with gradients of its own: added up in a fixed order, whatever the threads


def read_sides(
    neighbours: NeighbourRows, index: NDArray[np.int64], parameters: Sequence[Tensor], threads: int
) -> Tensor:
    """Pooled neighbours of both sides, float32 [P, 112]; see `igmc.models.neighbours.network.SideReader`.

    Args:
        neighbours: of all pairs.
        index: int64 [P], which of them are read.
        parameters: the six of the users' reader in the order of `SideWeights`, then those of the items'.
        threads: to work with.
    """
    return _ReadSides.apply(neighbours, index, threads, *parameters)  # type: ignore[no-any-return, no-untyped-call]


class _ReadSides(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, neighbours: NeighbourRows, index: NDArray[np.int64], threads: int, *tensors: Tensor
    ) -> Tensor:
        ctx.neighbours, ctx.index, ctx.threads = neighbours, index, threads
        ctx.save_for_backward(*tensors)
        pooled = np.empty((2, len(index), POOLED), np.float32)
        sides = _sides(neighbours, index, tensors)

        def work(side: int, low: int, high: int) -> None:
            arrays, weights, most = sides[side]
            scratch = make_scratch(most, weights)
            read_side(*arrays, neighbours.pair, index, low, high, weights, pooled[side], scratch)

        _share(work, len(index), threads, min(CHUNKS, 1 + len(index) // PIECE))
        return torch.from_numpy(pooled.transpose(1, 0, 2).reshape(len(index), 2 * POOLED))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        neighbours, index, tensors = ctx.neighbours, ctx.index, ctx.saved_tensors
        d_pooled = np.ascontiguousarray(grad.numpy().reshape(len(index), 2, POOLED).transpose(1, 0, 2))
        grads, sides = {}, _sides(neighbours, index, tensors)

        def work(side: int, low: int, high: int) -> None:
            arrays, weights, most = sides[side]
            scratch = make_scratch(most, weights)
            own = SideWeights(*(np.zeros_like(array) for array in weights))
            read_side_back(*arrays, neighbours.pair, index, low, high, weights, d_pooled[side], scratch, own)
            grads[side, low] = own

        _share(work, len(index), ctx.threads, CHUNKS)
        total: list[Tensor] = []
        for side in (0, 1):
            parts = [grads[key] for key in sorted(grads) if key[0] == side]
            total += [torch.from_numpy(np.sum(arrays, axis=0)) for arrays in zip(*parts, strict=True)]
        return None, None, None, *total


def _sides(
    neighbours: NeighbourRows, index: NDArray[np.int64], tensors: Sequence[Tensor]
) -> list[tuple[tuple[Any, ...], SideWeights, int]]:
    """Of users and of items: the arrays read, the weights, and the most neighbours of a pair."""
    found = []
    for side, one in enumerate((neighbours.users, neighbours.items)):
        own = tensors[6 * side : 6 * side + 6]
        weights = SideWeights(*(tensor.detach().contiguous().numpy() for tensor in own))
        most = int((one.ptr[index + 1] - one.ptr[index]).max(initial=0))
        found.append(((one.ptr, one.residual, one.rows), weights, most))
    return found


def _share(work: Any, pairs: int, threads: int, chunks: int) -> None:
    bounds = [pairs * k // chunks for k in range(chunks + 1)]
    jobs = [(side, *ends) for ends in itertools.pairwise(bounds) for side in (0, 1) if ends[0] < ends[1]]
    if chunks == 1 or threads == 1:
        for job in jobs:
            work(*job)
        return
    futures = [pool("neighbours", threads).submit(work, *job) for job in jobs]
    wait(futures)
    for future in futures:
        future.result()
