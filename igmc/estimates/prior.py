"""What is expected of a row before the values of its ratings are seen, by how many ratings it has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from igmc.estimates.folding_kernels import PriorTable
from igmc.estimates.lanes import to_lanes
from igmc.estimates.sampler import SideDraw

__all__ = ["place_in", "prior_table", "stranger"]


def prior_table(draws: Sequence[SideDraw]) -> PriorTable:
    """The Gaussians of one side."""
    counts = np.array([0.0, 1.0])
    precision = to_lanes(np.stack([draw.precision for draw in draws]), np.eye(len(draws[0].mean)))
    offset = to_lanes(np.stack([draw.mean for draw in draws]))
    weight = to_lanes(np.ones(len(draws)))
    return PriorTable(counts, *(np.stack([values, values]) for values in (precision, offset, weight)))


def place_in(table: PriorTable, n: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Where rows with n ratings stand in a table: between entry `place` and the next, `share` of the way."""
    at = np.interp(n, table.counts, np.arange(len(table.counts)))
    place = np.minimum(at.astype(np.int64), len(table.counts) - 2)
    return place, (at - place).astype(np.float32)


def stranger(table: PriorTable) -> NDArray[np.float32]:
    """The vector expected of a row without ratings, float32 [G, 1, D, 8]."""
    return np.ascontiguousarray(table.offset[0][:, None])
