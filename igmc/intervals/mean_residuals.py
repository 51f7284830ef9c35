"""By how much ratings miss the damped means that stand in where a pair has no neighbourhood."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from igmc.rng import stream
from igmc.statistics import DAMPING

__all__ = ["MEANS", "mean_residuals"]

MEANS = ("user mean", "item mean", "global mean")  # as `igmc.inference.mean_fallback` calls them
SAMPLE = 4000  # ratings at most

Floats = NDArray[np.float32]


def mean_residuals(
    user: NDArray[np.int32], item: NDArray[np.int32], rating: Floats, *, seed: int
) -> dict[str, Floats]:
    """The absolute residuals of some of n ratings by each of `MEANS`, ascending, in ratings.

    The mean of a user, or an item, is that of some other ratings of it: all, or a few, down to one.

    Args:
        user, item: int32 [n]; rating: float32 [n].
        seed: of what is drawn.
    """
    mean = float(rating.mean(dtype=np.float64)) if len(rating) else 0.0
    above = rating.astype(np.float64) - mean
    rng = stream(seed, "mean residuals")
    some = np.sort(rng.permutation(len(rating))[:SAMPLE])
    found = {}
    for name, nodes in (("user mean", user), ("item mean", item)):
        order = np.argsort(nodes, kind="stable")
        sorted_nodes = nodes[order]
        left = []
        for row in some.tolist():
            first, last = np.searchsorted(sorted_nodes, nodes[row], "left"), None
            last = np.searchsorted(sorted_nodes, nodes[row], "right")
            others = order[first:last]
            others = others[others != row]
            if len(others):
                shown = rng.permutation(others)[: int((len(others) + 1) ** rng.random())]
                left.append(above[row] - above[shown].sum() / (len(shown) + DAMPING))
        found[name] = np.sort(np.abs(np.array(left, np.float32)))
    found["global mean"] = np.sort(np.abs(above[some])).astype(np.float32)
    return found
