"""The quantile of split conformal prediction: the rank that counts the new value among those measured."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from igmc.errors import ConfigError

__all__ = ["check_coverage", "conformal_quantile"]


def conformal_quantile(scores: NDArray[np.float32], coverage: float) -> float:
    r"""How large the score of one more value is at most, with this probability.

    If the n scores and the new one can come in any order with equal chance, the new one is at most the k-th
    smallest of the n with probability :math:`k / (n + 1)` or more. So
    :math:`k = \lceil (n + 1) \cdot coverage \rceil`; where k > n, nothing can be promised (Vovk, Gammerman &
    Shafer, "Algorithmic Learning in a Random World", 2005).

    Args:
        scores: float [n], ascending.
        coverage: above 0 and below 1.

    Returns:
        the k-th smallest score; infinity where k > n.

    >>> conformal_quantile(np.arange(1, 10, dtype=np.float32), 0.9)
    9.0
    >>> conformal_quantile(np.arange(1, 9, dtype=np.float32), 0.9)
    inf
    """
    n = len(scores)
    rank = math.ceil((n + 1) * coverage * (1 - 1e-12))  # (9 + 1) * 0.9 is 9, not a little more
    return float(scores[rank - 1]) if rank <= n else math.inf


def check_coverage(coverage: object) -> float:
    """A coverage that can be asked for.

    Raises:
        ConfigError: if it is not between 0 and 1.
    """
    if isinstance(coverage, bool) or not isinstance(coverage, int | float) or not 0 < coverage < 1:
        raise ConfigError("the coverage is out of range", got=coverage, allowed="above 0 and below 1")
    return float(coverage)
