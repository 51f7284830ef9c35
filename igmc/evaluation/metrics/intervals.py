"""How sure a figure is: bootstrap confidence intervals, and paired tests between two models.

What is drawn is users, since the pairs of one user are not independent: each user's value for measures of
users, all pairs of a user together for errors of pairs (a cluster bootstrap; Field & Welsh, JRSS B 2007). So
an interval tells the luck of which users were met, and nothing of the luck of the split or of the training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from igmc.errors import ConfigError, DataError
from igmc.evaluation.metrics.errors_by import checked_indices
from igmc.rng import stream

__all__ = ["Comparison", "Interval", "bootstrap_interval", "paired_test", "sums_interval"]

Floats = NDArray[np.float64]
Figure = Callable[[Floats], Floats]  # of C sums over users: float64 [C, ...] -> [...]

_LEAST_DRAWS = 100
_DRAWN_AT_ONCE = 1_000_000  # numbers; bounds the memory


@dataclass(frozen=True)
class Interval:
    """A figure and its confidence interval.

    Attributes:
        value: the figure itself.
        low, high: bounds of the interval.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """The figure of one model less that of another, on the same users or pairs.

    Attributes:
        difference: first less second.
        low, high: bounds of its confidence interval.
        p_value: two-sided, of the hypothesis that it does not matter which model is which; in (0, 1].
    """

    difference: float
    low: float
    high: float
    p_value: float


def bootstrap_interval(
    values: ArrayLike,
    user: ArrayLike | None = None,
    *,
    seed: int,
    root: bool = False,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> Interval:
    """Confidence interval of a mean over users, or over pairs; or of the root of that mean, for RMSE.

    The bias-corrected and accelerated interval (BCa; Efron, JASA 1987), with the acceleration from the
    jackknife over users (DiCiccio & Efron, Statistical Science 1996). Where few users make most of the error
    it is too narrow: 95 % intervals of an RMSE, the users' errors log-normal in size, held the truth in 90 %
    of simulations with 80 users and in 94 % with 900.

    Args:
        values: float [n], finite: of each user, such as NDCG, or of each pair, such as its squared error.
        user: int [n], the user of each pair; None if each value is another user's.
        seed: of the draws.
        root: take the square root of the mean; the values must not be negative then.
        resamples: how many, at least 100.
        confidence: above 0 and below 1.

    Raises:
        DataError: on other shapes or numbers, or fewer than 2 users.
        ConfigError: on a setting out of range.
    """
    given = _checked(values, root)
    sums = _by_user([given, np.ones(len(given))], user)
    return Interval(*_bca(sums, _root if root else _mean, seed, resamples, confidence))


def sums_interval(
    sums: ArrayLike, figure: Figure, *, seed: int, resamples: int = 2000, confidence: float = 0.95
) -> Interval:
    """Confidence interval of any figure of sums over users, by the method of `bootstrap_interval`.

    So that of a ratio of two sums, or of the difference of two groups: users have zeros in the columns of the
    other group, and the size of a group varies between draws.

    Args:
        sums: float [C, U], finite: C figures of each of U users.
        figure: takes the C totals, float64 [C, ...], and returns [...].
        seed, resamples, confidence: as in `bootstrap_interval`.

    Raises:
        DataError, ConfigError: as `bootstrap_interval`.
    """
    given = np.asarray(sums, np.float64)
    _by_user([_checked(column, root=False) for column in given], None)
    return Interval(*_bca(given, figure, seed, resamples, confidence))


def paired_test(
    first: ArrayLike,
    second: ArrayLike,
    user: ArrayLike | None = None,
    *,
    seed: int,
    root: bool = False,
    resamples: int = 2000,
    flips: int = 10_000,
    confidence: float = 0.95,
) -> Comparison:
    """The difference of two models' means, or root means, its confidence interval, and a test of it.

    The interval is that of `bootstrap_interval`. The p-value is that of the sign-flip test (Fisher 1935;
    Smucker, Allan & Carterette, CIKM 2007): for each user it is drawn which model is which, and p is the
    share of draws whose difference is no smaller than the one found, that one counted too (Phipson & Smyth,
    2010). So it is 1 without a difference, and never below 1 / (flips + 1). The sum over both models stays
    the same when users change sides, hence root means differ by more exactly where means do, and one test
    serves both.

    Args:
        first, second: float [n], finite, of both models, for the same users or pairs in the same order.
        user: int [n], the user of each pair; None if each value is another user's.
        seed: of the draws.
        root: compare the square roots of the means; the values must not be negative then.
        resamples, confidence: of the interval, as in `bootstrap_interval`.
        flips: draws of the test, at least 100.

    Raises:
        DataError: on other shapes or numbers, or fewer than 2 users.
        ConfigError: on a setting out of range.
    """
    left, right = _checked(first, root), _checked(second, root)
    if left.shape != right.shape:
        raise DataError(
            "the two models have different numbers of values", got=f"{len(left)} and {len(right)}"
        )
    figure = _root if root else _mean
    sums = _by_user([left, right, np.ones(len(left))], user)

    def difference(totals: Floats) -> Floats:
        return figure(totals[[0, 2]]) - figure(totals[[1, 2]])

    bounds = _bca(sums, difference, seed, resamples, confidence)
    return Comparison(*bounds, p_value=_sign_flip(sums[0] - sums[1], seed, flips))


def _mean(totals: Floats) -> Floats:
    ratio: Floats = totals[0] / totals[1]
    return ratio


def _root(totals: Floats) -> Floats:
    return np.sqrt(_mean(totals))


def _checked(values: ArrayLike, root: bool) -> Floats:
    given = np.asarray(values, np.float64)
    if given.ndim != 1:
        raise DataError("the values are not a list", got=given.shape, allowed="one number per user or pair")
    if not np.isfinite(given).all():
        raise DataError("a value is not a finite number")
    if root and given.size and given.min() < 0:
        raise DataError(
            "a mean with negative values has no root", got=float(given.min()), remedy="give squared errors"
        )
    return given


def _by_user(columns: list[Floats], user: ArrayLike | None) -> Floats:
    """Sums of C columns, float64 [n] each, by user: float64 [C, U]."""
    if user is not None:
        users, index = np.unique(checked_indices(user, columns[0].shape), return_inverse=True)
        columns = [np.bincount(index, column, len(users)).astype(np.float64) for column in columns]
    sums = np.stack(columns)
    if sums.shape[1] < 2:
        raise DataError("there are too few users to draw from", got=sums.shape[1], allowed="at least 2")
    return sums


def _bca(
    sums: Floats, figure: Figure, seed: int, resamples: int, confidence: float
) -> tuple[float, float, float]:
    """A figure of the sums over users of float64 [C, U], and the bounds of its BCa interval."""
    if resamples < _LEAST_DRAWS:
        raise ConfigError("there are too few resamples", got=resamples, allowed=f"at least {_LEAST_DRAWS}")
    if not 0 < confidence < 1:
        raise ConfigError("the confidence is out of range", got=confidence, allowed="above 0 and below 1")
    total = sums.sum(axis=1)
    value, drawn = float(figure(total)), figure(_resampled(sums, seed, resamples))
    # Half of the ties count as smaller. The bounds keep the correction finite where all are on one side.
    smaller = (np.mean(drawn < value) + np.mean(drawn <= value)) / 2
    bias = ndtri(np.clip(smaller, 0.5 / resamples, 1 - 0.5 / resamples))
    without = figure(total[:, None] - sums)
    pull = without.mean() - without
    spread = np.sum(pull**2) ** 1.5
    acceleration = np.sum(pull**3) / (6 * spread) if spread > 0 else 0.0
    normal = bias + ndtri([(1 - confidence) / 2, (1 + confidence) / 2])
    low, high = np.quantile(drawn, ndtr(bias + normal / (1 - acceleration * normal)))
    return value, float(low), float(high)


def _resampled(sums: Floats, seed: int, resamples: int) -> Floats:
    """Sums over as many users as there are, drawn with replacement: float64 [C, resamples]."""
    generator, users = stream(seed, "bootstrap"), sums.shape[1]
    drawn = np.empty((len(sums), resamples))
    step = max(1, _DRAWN_AT_ONCE // users)
    for start in range(0, resamples, step):
        chosen = generator.integers(users, size=(min(step, resamples - start), users), dtype=np.int32)
        for row, column in zip(drawn, sums, strict=True):
            row[start : start + step] = column[chosen].sum(axis=1)
    return drawn


def _sign_flip(differences: Floats, seed: int, flips: int) -> float:
    """Two-sided p-value of the sum of differences, float64 [U], when each sign is as likely as the other."""
    if flips < _LEAST_DRAWS:
        raise ConfigError("there are too few flips", got=flips, allowed=f"at least {_LEAST_DRAWS}")
    generator, users = stream(seed, "sign flips"), len(differences)
    # The slack lets sums that differ by rounding only count as equal.
    total, reached = differences.sum(), 0
    enough = abs(total) - 1e-12 * np.abs(differences).sum()
    step = max(1, _DRAWN_AT_ONCE // users)
    for start in range(0, flips, step):
        drawn = generator.integers(256, size=(min(step, flips - start), -(-users // 8)), dtype=np.uint8)
        flipped = np.unpackbits(drawn, axis=1, count=users).astype(np.float64) @ differences
        reached += int(np.count_nonzero(np.abs(total - 2 * flipped) >= enough))
    return (reached + 1) / (flips + 1)
