"""Draws in the lanes of vectors: how arrays of S draws become what `folding_kernels` reads, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["from_lanes", "to_lanes"]

LANES = 8


def to_lanes(draws: NDArray[Any], fill: float | NDArray[Any] = 0.0) -> NDArray[np.float32]:
    """[S, ...] -> float32 [G, ..., 8]; `fill` fills the lanes without a draw."""
    n, shape = len(draws), draws.shape[1:]
    groups = -(-n // LANES)
    full = np.empty((groups * LANES, *shape), np.float32)
    full[:n], full[n:] = draws, fill
    return np.ascontiguousarray(np.moveaxis(full.reshape(groups, LANES, *shape), 1, -1))


def from_lanes(values: NDArray[np.float32], draws: int) -> NDArray[np.float32]:
    """[G, ..., 8] -> [S, ...]."""
    moved = np.moveaxis(values, -1, 1)
    return np.ascontiguousarray(moved.reshape(len(values) * LANES, *moved.shape[2:])[:draws])
