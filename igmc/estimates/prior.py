"""The expectation of a row before the values of its ratings are seen, by its number of ratings.

The implicit term ``z = n^-1/2 sum_{j in N} y_j`` is learned on rows with all their ratings. If a row
shows only k ratings, its own such sum ``s`` says little about the z that it would have; if s were used as z,
a newcomer's first rating would count as if no other would follow. So with few ratings, z is predicted by a
linear regression, on rows of the fit, of z on the sum over k of their ratings, drawn at random, and the
covariance of the regression's residuals is added to that of the vectors. All moments of this
regression are closed forms: with y-bar the mean of y over a row's n ratings, and V their covariance,

    cov(s, z) = k cov(y-bar, z),    cov(s) = k^2 cov(y-bar) + k E[(n - k) / (n - 1) V].

They are taken over the rows that have 2 k ratings or more. Where these are few, for large k, the prior turns
into the full term.

Of rows with side information, what is left is regressed on that; see `igmc.estimates.effects`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from igmc.estimates.effects import correction, regressed_on
from igmc.estimates.folding_kernels import PriorTable
from igmc.estimates.lanes import to_lanes
from igmc.estimates.sampler import SideDraw
from igmc.estimates.sampling_kernels import RatingRows
from igmc.ratings import RowFeatures

__all__ = ["place_in", "prior_table", "stranger"]

STEP = 1.5  # from one count of the table to the next

Singles = NDArray[np.float32]
Floats = NDArray[np.float64]
Gaussian = tuple[Floats, Floats, Floats, Floats]  # of one draw: precision, offset, slope, effects


def prior_table(
    draws: Sequence[SideDraw],
    ratings: RatingRows,
    by_ratings: bool,
    features: RowFeatures | None = None,
    others: Sequence[SideDraw] = (),
) -> PriorTable:
    """The Gaussians of one side.

    Args:
        draws: of that side.
        ratings: the ratings of the fit by its rows.
        by_ratings: whether rows count by how many ratings are not shown, or all alike.
        features: of its rows, if the draws have effects; others: the draws of the other side, then.
    """
    width = len(draws[0].mean)
    full = [(draw.precision, draw.mean, np.eye(width), _effects(draw)) for draw in draws]
    if draws[0].links is None:
        counts = np.array([0.0])
        full = [(precision, mean, np.zeros((0, 0)), effects) for precision, mean, _, effects in full]
        found = [full]
    else:
        profiles, counts = _Profiles.of(ratings, len(draws[0].links)), _counts(np.diff(ratings.ptr))
        values = None if features is None else features.values[profiles.rows]
        seen = [(draw, draw.links, profiles.means(draw.links)) for draw in draws if draw.links is not None]
        found = []
        for k in counts:
            sample = profiles.at(k, by_ratings)
            found.append(full if sample is None else [_regressed(sample, *each, values) for each in seen])
    if features is not None:
        found = _corrected(found, draws, others, features, ratings)
    stacked = [[np.stack(part) for part in zip(*entry, strict=True)] for entry in [*found, full, full]]
    return PriorTable(
        counts,
        np.stack([to_lanes(entry[0], np.eye(width)) for entry in stacked]),
        *(np.stack([to_lanes(entry[place]) for entry in stacked]) for place in (1, 2, 3)),
    )


def _corrected(
    found: list[list[Gaussian]],
    draws: Sequence[SideDraw],
    others: Sequence[SideDraw],
    features: RowFeatures,
    ratings: RatingRows,
) -> list[list[Gaussian]]:
    """The same for rows that are asked about; see `igmc.estimates.effects.correction`."""
    more, values = [], features.values[: len(draws[0].vectors)]
    for draw, other, (_, offset, _, effects) in zip(draws, others, found[0], strict=True):
        expected = (offset + values @ effects).astype(np.float32)
        more.append(correction(draw.vectors, expected, other.vectors, ratings))
    return [
        [(each[0], each[1] + change, *each[2:]) for each, change in zip(entry, more, strict=True)]
        for entry in found
    ]


def _effects(draw: SideDraw) -> Floats:
    return np.zeros((0, len(draw.mean))) if draw.effects is None else draw.effects


def stranger(draws: Sequence[SideDraw], ratings: RatingRows) -> Singles:
    """The vector expected of a row without ratings if all rows count alike, float32 [G, D, 8]."""
    if draws[0].links is None:
        return to_lanes(np.stack([draw.mean for draw in draws]))
    known = _Profiles.of(ratings, len(draws[0].links))
    root = np.sqrt(known.n) / len(known.n)
    return to_lanes(np.stack([d.mean + root @ known.means(d.links) for d in draws if d.links is not None]))


def place_in(
    table: PriorTable, n: NDArray[np.int64], complete: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], Singles]:
    """Where rows with n ratings lie in a table: between entry `place` and the next, `share` of the way."""
    last = len(table.counts)
    at = np.interp(n, table.counts, np.arange(last))
    at[complete] = last
    place = at.astype(np.int64)
    return place, (at - place).astype(np.float32)


def _counts(n: NDArray[np.int64]) -> Floats:
    """0, 1, 2, 3, 5, 8, ... up to where hardly any row has twice as many."""
    counts = [0.0, 1.0]
    while 2 * counts[-1] < n.max():
        counts.append(float(np.ceil(STEP * counts[-1])))
    return np.array(counts)


@dataclass(frozen=True, eq=False)
class _Sample:
    """Rows of the fit, of which k ratings are shown.

    Attributes:
        k: that number.
        n: float32 [r], ratings of each row, descending.
        share: float32 [r], of each row in the moments.
        within: float32 [r], share times ``(n - k) / (n - 1)``.
        rated: float32 [n_other], the mean of `within` as it falls to what is rated.
    """

    k: float
    n: Singles
    share: Singles
    within: Singles
    rated: Singles


@dataclass(frozen=True, eq=False)
class _Profiles:
    """Which ratings the rows of the fit have, rows with most ratings first.

    Attributes:
        rows: int64 [r], which rows these are.
        n: float32 [r], descending, ratings of each.
        rated: [r, n_other], a 1 for each rating.
    """

    rows: NDArray[np.int64]
    n: Singles
    rated: sparse.csr_array

    @classmethod
    def of(cls, ratings: RatingRows, n_other: int) -> _Profiles:
        n = np.diff(ratings.ptr)
        order = np.argsort(-n, kind="stable")[: np.count_nonzero(n)]
        ones = np.ones(len(ratings.near), np.float32)
        rated = sparse.csr_array((ones, ratings.near, ratings.ptr), shape=(len(n), n_other))
        return cls(order, n[order].astype(np.float32), rated[order])

    def means(self, links: Singles) -> Singles:
        """The mean of the implicit terms of what each row has rated, float32 [r, D]."""
        sums: Singles = self.rated @ links
        return sums / self.n[:, None]

    def at(self, k: float, by_ratings: bool) -> _Sample | None:
        """Those with 2 k ratings or more; None if there are none."""
        many = int(np.searchsorted(-self.n, -max(2 * k, 1), side="right"))
        if not many:
            return None
        n = self.n[:many]
        share = n - np.float32(k) if by_ratings else np.ones_like(n)
        share /= share.sum()
        within = share * np.maximum(n - np.float32(k), 0) / np.maximum(n - 1, 1)
        return _Sample(k, n, share, within, self.rated[:many].T @ (within / n))


def _regressed(
    sample: _Sample, draw: SideDraw, links: Singles, means: Singles, values: Singles | None
) -> Gaussian:
    """The Gaussian at k ratings; `means` and the features `values` are those of all profiles."""
    k, share, width = sample.k, sample.share, len(draw.mean)
    means = means[: len(share)]
    full = np.sqrt(sample.n)[:, None] * means
    z, y = share @ full, share @ means
    full, centred = full - z, means - y
    weighted = centred.T * share
    together, of_full = k * weighted @ full, (full.T * share) @ full
    effective = 1.0 / float(share @ share)
    slope, left = np.zeros((width, width)), of_full
    if k > 0:
        within = (links.T * sample.rated) @ links - (means.T * sample.within) @ means
        sums = k * k * weighted @ centred + k * within
        # As a departure from a multiple of the identity, so that few rows cannot lead it far off.
        size = max(float(np.trace(sums)), 1e-12)
        common, ridge = float(np.trace(together)) / size, np.eye(width) * size / effective
        slope = common * np.eye(width) + np.linalg.solve(sums + ridge, together - common * sums).T
        left = of_full - slope @ together - together.T @ slope.T + slope @ sums @ slope.T
    offset, effects = z - k * slope @ y, _effects(draw)
    passed = width / (width + effective)
    if values is not None and draw.shrink is not None:
        values = values[: len(share)]
        rest = full - k * centred @ slope.T.astype(np.float32)
        own = regressed_on(values, share, draw.shrink, rest)
        told = (values - share @ values) @ own
        explained = (told.T * share) @ rest
        left = left - explained - explained.T + (told.T * share) @ told
        offset, effects = offset - (share @ values) @ own, effects + (1.0 - passed) * own
    precision: NDArray[Any] = np.linalg.inv(np.linalg.inv(draw.precision) + (1.0 - passed) * left)
    passing: NDArray[Any] = (1.0 - passed) * np.sqrt(k) * slope + passed * np.eye(width)
    return precision, draw.mean + (1.0 - passed) * offset, passing, effects
