"""The two sides of `FactorEstimates`, made of the draws of a sampler or of a stored state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from igmc.estimates.factor_side import Axes, FactorSide, loadings
from igmc.estimates.folding_kernels import PriorTable
from igmc.estimates.lanes import from_lanes, to_lanes
from igmc.estimates.pair_kernels import SideRows
from igmc.estimates.prior import prior_table, stranger
from igmc.estimates.rating_rows import padded
from igmc.estimates.sampler import Draw, Sampler, SideDraw, SideSampler
from igmc.estimates.sampling_kernels import RatingRows

__all__ = ["sides_from", "sides_of", "state_of"]

Floats = NDArray[np.float32]

TABLE = ("precision", "offset", "slope", "effects")
NOBODY = RatingRows(np.zeros(2, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))


def sides_of(draws: Sequence[Draw], sampler: Sampler, alpha: Floats) -> tuple[FactorSide, FactorSide]:
    """Users and items by some draws of a sampler; alpha float32 [G, 8]."""
    of_users, of_items = [draw.users for draw in draws], [draw.items for draw in draws]
    # A new user is one of many alike; a new item is asked about as often as it will be rated.
    users = _side(of_users, of_items, sampler.user, sampler.item, by_ratings=False)
    items = _side(of_items, of_users, sampler.item, sampler.user, by_ratings=True)
    users, items = _finished(users, items, alpha)
    unrated = np.flatnonzero(items.fitted == 0)
    vectors, variances = items.known.vectors, items.known.variances
    if sampler.item.features is None:
        # Rare is what could be rated and was not, so the many that few have rated count in full.
        vectors[:, unrated] = stranger(of_items, sampler.item.ratings)[:, None]
        variances[unrated] = items.patch.variances
    else:
        nothing = RatingRows(np.zeros(len(unrated) + 1, np.int64), *NOBODY[1:])
        new = items.expected(unrated, nothing, np.zeros(len(unrated), np.bool_), users, alpha, 1)
        vectors[:, unrated], variances[unrated] = new.vectors, new.variances
    items = replace(items, known=SideRows(vectors, variances, loadings(vectors, users.axes, items.draws)))
    everybody, complete = np.arange(len(users)), users.fitted > 0
    known = users.expected(everybody, sampler.user.ratings, complete, items, alpha, sampler.threads)
    return replace(users, known=known), items


def state_of(side: FactorSide) -> dict[str, NDArray[Any]]:
    """All but the patch, as plain arrays."""
    found: dict[str, NDArray[Any]] = {
        "vectors": from_lanes(side.known.vectors, side.draws).astype(np.float16),
        "variances": side.known.variances.astype(np.float16),
        "links": from_lanes(side.links, side.draws).astype(np.float16),
        "fitted": side.fitted,
        "transform": from_lanes(side.axes.transform, side.draws),
        "counts": side.prior.counts,
        "values": side.values,
    }
    for part in TABLE:
        found[part] = np.stack([from_lanes(entry, side.draws) for entry in getattr(side.prior, part)])
    return found


def sides_from(
    users: Mapping[str, NDArray[Any]], items: Mapping[str, NDArray[Any]], alpha: Floats
) -> tuple[FactorSide, FactorSide]:
    """Users and items by what `state_of` gave for each."""
    sides = []
    for state in (users, items):
        given = _none_told(state) | dict(state)
        precision = [to_lanes(entry, np.eye(entry.shape[-1])) for entry in given["precision"]]
        rest = (np.stack([to_lanes(entry) for entry in given[part]]) for part in TABLE[1:])
        table = PriorTable(given["counts"], np.stack(precision), *rest)
        vectors, draws = to_lanes(state["vectors"]), len(state["vectors"])
        known, nobody = _rows(vectors, state["variances"].astype(np.float32)), _rows(vectors[:, :0])
        axes, links = _axes(state["transform"]), to_lanes(state["links"])
        values = given["values"]
        sides.append(FactorSide(draws, known, state["fitted"], table, values, links, axes, _none(), nobody))
    return _finished(sides[0], sides[1], alpha)


def _side(
    draws: Sequence[SideDraw],
    others: Sequence[SideDraw],
    own: SideSampler,
    other: SideSampler,
    *,
    by_ratings: bool,
) -> FactorSide:
    vectors = to_lanes(np.stack([draw.vectors for draw in draws]))
    share = np.diff(other.ratings.ptr) / len(other.ratings.near)
    links = np.zeros((len(draws), 0, own.width))
    if draws[0].links is not None:
        links = np.stack([_with_mean(draw.links, share) for draw in draws if draw.links is not None])
    axes = _axes(
        np.stack([_transform(d.precision, o.vectors, share) for d, o in zip(draws, others, strict=True)])
    )
    return FactorSide(
        len(draws),
        _rows(vectors),
        np.diff(own.ratings.ptr),
        prior_table(draws, own.ratings, by_ratings, own.features, others),
        np.zeros((len(own.theta), 0), np.float32) if own.features is None else own.features.values,
        to_lanes(links),
        axes,
        _none(),
        _rows(vectors[:, :0]),
    )


def _finished(users: FactorSide, items: FactorSide, alpha: Floats) -> tuple[FactorSide, FactorSide]:
    """The same with loadings, and with a patch of the row of which nothing is known."""
    found = []
    for side, other in ((users, items), (items, users)):
        known = side.known._replace(loadings=loadings(side.known.vectors, other.axes, side.draws))
        nobody = side.expected(np.array([2**31]), NOBODY, np.zeros(1, np.bool_), other, alpha, 1)
        found.append(replace(side, known=known, patch=nobody))
    return found[0], found[1]


def _transform(
    precision: NDArray[np.float64], vectors: Floats, share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """T that makes both the precision and the mean of ``x x'`` diagonal, ``x = (q, 1)``; [D, D]."""
    x = vectors.astype(np.float64)
    x[:, -1] = 1.0
    inverse = np.linalg.inv(np.linalg.cholesky(precision))
    _, axes = np.linalg.eigh(inverse @ (x.T * share) @ x @ inverse.T)
    turned: NDArray[np.float64] = axes.T @ inverse
    return turned


def _axes(transform: NDArray[Any]) -> Axes:
    return Axes(to_lanes(transform), to_lanes(np.linalg.inv(transform)))


def _rows(vectors: Floats, variances: Floats | None = None) -> SideRows:
    n, width = vectors.shape[1:3]
    none = padded(np.zeros((n, width)), width)
    return SideRows(np.ascontiguousarray(vectors), none if variances is None else variances, none)


def _none_told(state: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """What states of versions before side information lack."""
    entries, draws, width = state["offset"].shape
    empty = np.zeros((len(state["fitted"]), 0), np.float32)
    return {"effects": np.zeros((entries, draws, 0, width), np.float32), "values": empty}


def _none() -> NDArray[np.int32]:
    return np.empty(0, np.int32)


def _with_mean(links: Floats, share: NDArray[np.float64]) -> NDArray[np.float64]:
    """With the mean over ratings as a row more, and in the place of rows that the fit has no rating of."""
    mean = share @ links
    return np.concatenate([np.where(share[:, None] > 0, links, mean), mean[None]])
