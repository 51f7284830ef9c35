"""What the neighbours network reads of pairs, as arrays, and the norms that belong to a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["PAIR_WIDTH", "ROW_WIDTH", "InputNorms", "NeighbourRows", "SideNeighbours", "clip_inputs"]

# These are in kernels too, and by naming `igmc.compiled` this module is among their sources.
ROW_WIDTH, PAIR_WIDTH = 12, 10
FARTHEST = np.float32(8)  # standard deviations; inputs beyond are moved there

Floats = NDArray[np.float32]


class SideNeighbours(NamedTuple):
    """The neighbours of P pairs on one side, T in all.

    Attributes:
        ptr: int64 [P + 1], bounds of each pair's rows; node: int32 [T], which node of the side each is.
        residual: float32 [T], e of the rating that ties it to the pair.
        rows: float32 [T, 12], its normalized inputs: residual; log1p N; log1p degree; correlation;
            P / (N + 10); mean squared difference; A / (N + 5); B / (N + 5); P / (sqrt N + 1); dispersion;
            bias; centred correlation. N, A, B and P are those of `igmc.statistics.shared`.
    """

    ptr: NDArray[np.int64]
    node: NDArray[np.int32]
    residual: Floats
    rows: Floats


@dataclass(frozen=True, eq=False)
class NeighbourRows:
    """What the network reads of P pairs.

    Attributes:
        base: float32 [P], in ratings: mean + deviation * (b_u + b_i), or an estimate that takes its place.
        pair: float32 [P, 10 or more], normalized: log1p n_u; log1p n_i; b_u; b_i; dispersions of u and i;
            b_u b_i; (n_u + 1)^-1/2; (n_i + 1)^-1/2; b_u + b_i; and what else a network reads of pairs.
        users: the raters of each pair's item; items: the items of each pair's user.
    """

    base: Floats
    pair: Floats
    users: SideNeighbours
    items: SideNeighbours

    def __len__(self) -> int:
        return len(self.base)


class InputNorms(NamedTuple):
    """Means and inverse standard deviations of the inputs; they belong to a graph, not to the weights.

    Attributes:
        pair: float32 [2, K]; users, items: float32 [2, 12]; row 0 is subtracted, row 1 multiplied.
    """

    pair: Floats
    users: Floats
    items: Floats

    @classmethod
    def identity(cls, pair_width: int = PAIR_WIDTH) -> Self:
        """Norms that change nothing."""
        none = [
            np.stack([np.zeros(n), np.ones(n)]).astype(np.float32) for n in (pair_width, ROW_WIDTH, ROW_WIDTH)
        ]
        return cls(*none)

    @classmethod
    def of(cls, raw: NeighbourRows) -> Self:
        """The norms of inputs that were read with `identity`."""
        return cls(*(_moments(values) for values in (raw.pair, raw.users.rows, raw.items.rows)))


def clip_inputs(values: Floats, norm: Floats) -> Floats:
    """Inputs by their norm, and within 8 deviations of its mean; float32 [P, F] and [2, F]."""
    clipped: Floats = np.clip((values - norm[0]) * norm[1], -FARTHEST, FARTHEST)
    return clipped


def _moments(values: Floats) -> Floats:
    if not len(values):
        return np.stack([np.zeros(values.shape[1]), np.ones(values.shape[1])]).astype(np.float32)
    mean, deviation = values.mean(axis=0, dtype=np.float64), values.std(axis=0, dtype=np.float64)
    return np.stack([mean, 1.0 / (deviation + 1e-3)]).astype(np.float32)
