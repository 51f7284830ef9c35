"""The users or the items of `FactorEstimates`: their vectors in all draws, and a patch of some of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from igmc.errors import DataError
from igmc.estimates.folding_kernels import OtherDraws, PriorTable, expected_rows, loadings_of
from igmc.estimates.pair_kernels import SideRows
from igmc.estimates.prior import place_in
from igmc.estimates.rating_rows import in_threads, padded, parts_of
from igmc.estimates.sampling_kernels import RatingRows

__all__ = ["Axes", "FactorSide"]

Floats = NDArray[np.float32]
Ids = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Axes:
    """The axes along which variances of a side are kept, T as in `SideRows`.

    Attributes:
        transform: float32 [G, D, D, 8], T.
        basis: float32 [G, D, D, 8], its inverse.
    """

    transform: Floats
    basis: Floats


@dataclass(frozen=True, eq=False)
class FactorSide:
    """n rows in S draws, and the expectation of other rows.

    Attributes:
        draws: S.
        known: the rows that the fit has seen.
        fitted: int64 [n], number of ratings of each.
        prior: of all rows.
        values: float32 [m, F], features of the first m rows, at least n; F is 0 without side information.
        links: float32 [G, n_other + 1, D, 8], implicit terms of what is rated, the last one for what the fit
            has not seen; [G, 0, D, 8] without such terms.
        axes: of this side.
        nodes: int32 [p], ascending: rows in the patch.
        patch: 1 + p rows; the first is any row of which nothing is known.
    """

    draws: int
    known: SideRows
    fitted: NDArray[np.int64]
    prior: PriorTable
    values: Floats
    links: Floats
    axes: Axes
    nodes: Ids
    patch: SideRows

    def __len__(self) -> int:
        return len(self.fitted)

    def locate(self, ids: Ids) -> NDArray[np.int64]:
        """The places of some rows: below n in `known`, else in the patch.

        Raises:
            DataError: on an index below 0.
        """
        n = len(self)
        found = np.asarray(ids, np.int64)
        if len(found) and found.min() < 0:
            raise DataError("an index is below 0", got=int(found.min()))
        found = np.minimum(found, n)
        if len(self.nodes):
            at = np.minimum(np.searchsorted(self.nodes, ids), len(self.nodes) - 1)
            hit = self.nodes[at] == ids
            found[hit] = n + 1 + at[hit]
        return found

    def expected(
        self,
        nodes: NDArray[np.integer],
        ratings: RatingRows,
        complete: NDArray[np.bool_],
        other: FactorSide,
        alpha: Floats,
        threads: int,
    ) -> SideRows:
        """The expectation of n rows with these ratings.

        Args:
            nodes: int [n], which rows they are; of those beyond `values` nothing is known.
            ratings: by rows; `near` as `locate` of the other side says.
            complete: bool [n], whether a row shows all its ratings.
            other: what they rate.
            alpha: float32 [G, 8], the precision of the noise.
            threads: at most.
        """
        ptr, (groups, _, width, lanes) = ratings.ptr, self.known.vectors.shape
        n = len(ptr) - 1
        vectors, variances = (
            np.empty((groups, n, width, lanes), np.float32),
            padded(np.zeros((n, width)), width),
        )
        draws = OtherDraws(other.known.vectors, other.patch.vectors, self.links, alpha)
        places = place_in(self.prior, np.diff(ptr), complete)
        shift = self._shift(nodes, *places)
        fixed = ptr, ratings.near.astype(np.int64), ratings.target, *places, shift, self.prior, draws
        parts = parts_of(ptr) if threads > 1 else [(0, n)]
        calls = [(*fixed, self.axes.basis, self.draws, *part, vectors, variances) for part in parts]
        in_threads(threads, expected_rows, calls)
        return SideRows(vectors, variances, loadings(vectors, other.axes, self.draws))

    def _shift(self, nodes: NDArray[np.integer], places: NDArray[np.int64], shares: Floats) -> Floats:
        """What side information adds to the expectation of rows, float32 [G, n, D, 8]."""
        entries, groups, size, width, lanes = self.prior.effects.shape
        found = np.zeros((groups, len(nodes), width * lanes), np.float32)
        effects = self.prior.effects.reshape(entries, groups, size, width * lanes)
        known = np.flatnonzero(nodes < len(self.values)) if size else np.empty(0, np.int64)
        for place in np.unique(places[known]).tolist():
            rows = known[places[known] == place]
            x, share = self.values[nodes[rows]], shares[rows, None]
            found[:, rows] = x @ effects[place]
            if share.any():
                found[:, rows] += share * (x @ (effects[place + 1] - effects[place]))
        return found.reshape(groups, len(nodes), width, lanes)

    def folded(
        self,
        nodes: Ids,
        ratings: tuple[Ids, Ids, Floats],
        other: FactorSide,
        alpha: Floats,
        threads: int = 1,
    ) -> FactorSide:
        """The same with some rows fitted to the other side.

        A row with as many ratings as the fit knew of it, or more, is taken to show all of them.

        Args:
            nodes: int32 [p], ascending.
            ratings: rows, what they rate, and ratings in standard deviations; those of other rows are left
                out.
            other: the other side.
            alpha: float32 [G, 8], the precision of the noise.
            threads: at most.
        """
        row, column, target = ratings
        at = np.minimum(np.searchsorted(nodes, row), len(nodes) - 1)
        mine = nodes[at] == row
        at, column, target = at[mine], column[mine], target[mine]
        order = np.lexsort((column, at))
        count = np.bincount(at, minlength=len(nodes))
        ptr = np.concatenate([[0], np.cumsum(count)])
        before = np.where(nodes < len(self), self.fitted[np.minimum(nodes, len(self) - 1)], 0)
        complete = (before > 0) & (count >= before)
        rows = RatingRows(ptr, other.locate(column[order]).astype(np.int32), target[order])
        return self._patched(nodes, self.expected(nodes, rows, complete, other, alpha, threads))

    def _patched(self, nodes: Ids, rows: SideRows) -> FactorSide:
        """The same with some rows replaced; nodes ascending."""
        kept = np.flatnonzero(~np.isin(self.nodes, nodes))
        together = np.concatenate([self.nodes[kept], nodes])
        order = np.argsort(together)
        places = np.concatenate([1 + kept, 1 + len(self.nodes) + np.arange(len(nodes))])[order]
        places = np.concatenate([[0], places])
        # `take`, since indexing by an array would leave the axes in another order in memory.
        vectors = np.concatenate([self.patch.vectors, rows.vectors], axis=1).take(places, axis=1)
        variances = np.concatenate([self.patch.variances, rows.variances]).take(places, axis=0)
        loads = np.concatenate([self.patch.loadings, rows.loadings]).take(places, axis=0)
        patch = SideRows(vectors, variances, loads)
        return replace(self, nodes=together[order].astype(np.int32), patch=patch)


def loadings(vectors: Floats, axes: Axes, draws: int) -> Floats:
    """The squared loadings of rows on the axes of the other side, float32 [n, W]."""
    n, width = vectors.shape[1:3]
    found = padded(np.zeros((n, width)), width)
    loadings_of(vectors, axes.transform, draws, found)
    return found
