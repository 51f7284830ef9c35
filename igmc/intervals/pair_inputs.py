"""What the size of a residual is read off: what is known of a pair, and what the members answer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from igmc.statistics import InputNorms, NeighbourRows

__all__ = ["known_counts", "pair_inputs"]

LEAST_SPREAD = 0.02  # deviations; members that agree more than this agree

Floats = NDArray[np.float32]


def pair_inputs(rows: NeighbourRows, steps: Floats, own: Floats, mean: float, deviation: float) -> Floats:
    """The inputs of `ResidualScale` for P pairs, float32 [P, F].

    They are those of the pair that the network reads, support, biases, dispersions and posterior deviations
    among them; where on the scale the prediction lies, as ratings near its ends leave less room for error;
    how far it is from the base; and how far the members of the model are apart.

    Args:
        rows: what was read of the pairs.
        steps: float32 [M, P], of the members, in deviations.
        own: float32 [P], the step that predicts.
        mean, deviation: of the ratings of the graph.
    """
    level = (rows.base - np.float32(mean)) / np.float32(deviation) + own
    apart = np.log(steps.std(axis=0) + np.float32(LEAST_SPREAD))
    return np.column_stack([rows.pair, level, level**2, own, np.abs(own), apart]).astype(np.float32)


def known_counts(rows: NeighbourRows, norms: InputNorms) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many ratings are known of the user and of the item of P pairs, but the pair's own; int64 [P] each.

    Args:
        rows: what was read of the pairs, by these norms.
    """
    logs = rows.pair[:, :2].astype(np.float64) / norms.pair[1, :2] + norms.pair[0, :2]
    user, item = np.rint(np.expm1(logs)).astype(np.int64).T
    return user, item
