"""The users or the items of `FactorEstimates`: their vectors in all draws, and a patch of some of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from igmc.errors import DataError
from igmc.estimates.folding_kernels import OtherDraws, PriorTable, expected_rows
from igmc.estimates.prior import place_in
from igmc.estimates.rating_rows import in_threads, parts_of
from igmc.estimates.sampling_kernels import RatingRows

__all__ = ["FactorSide"]

Floats = NDArray[np.float32]
Ids = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class FactorSide:
    """Vectors of n rows in S draws, as float32 [G, n, D, 8] (see `folding_kernels`), the bias last.

    Attributes:
        vectors: of the rows that the fit has seen.
        prior: of these and of all others.
        links: float32 [G, n_other + 1, D, 8], implicit terms of what is rated, the last one for what the fit
            has not seen; [G, 0, D, 8] without such terms.
        nodes: int32 [p], ascending: rows whose vectors are in the patch.
        patch: float32 [G, 1 + p, D, 8]; the first one is that of rows of whom nothing is known.
    """

    vectors: Floats
    prior: PriorTable
    links: Floats
    nodes: Ids
    patch: Floats

    def locate(self, ids: Ids) -> NDArray[np.int64]:
        """Where the vectors of some rows stand: in `vectors`, or n and more, in the patch.

        Raises:
            DataError: on an index below 0.
        """
        n = self.vectors.shape[1]
        found = ids.astype(np.int64)
        if len(found) and found.min() < 0:
            raise DataError("an index is below 0", got=int(found.min()))
        found[found >= n] = n
        if len(self.nodes):
            at = np.minimum(np.searchsorted(self.nodes, ids), len(self.nodes) - 1)
            hit = self.nodes[at] == ids
            found[hit] = n + 1 + at[hit]
        return found

    def known(self, alpha: Floats, links: Floats) -> OtherDraws:
        """As what the rows of the other side rate; `links` are the other side's, alpha float32 [G, 8]."""
        return OtherDraws(self.vectors, self.patch, links, alpha)

    def expected(self, ratings: RatingRows, other: OtherDraws, threads: int = 1) -> Floats:
        """The vectors expected of rows with these ratings, float32 [G, n, D, 8].

        Args:
            ratings: by rows; `near` as `locate` of the other side says.
            other: what they rate.
            threads: at most.
        """
        ptr = ratings.ptr
        groups, _, width, lanes = self.vectors.shape
        out = np.empty((groups, len(ptr) - 1, width, lanes), np.float32)
        places = place_in(self.prior, np.diff(ptr))
        near = ratings.near.astype(np.int64)
        fixed = ptr, near, ratings.target, *places, self.prior, other
        parts = parts_of(ptr) if threads > 1 else [(0, len(ptr) - 1)]
        in_threads(threads, expected_rows, [(*fixed, *part, out) for part in parts])
        return out

    def patched(self, nodes: Ids, vectors: Floats) -> FactorSide:
        """The same with other vectors for some rows.

        Args:
            nodes: int32 [p], ascending.
            vectors: float32 [G, p, D, 8].
        """
        kept = ~np.isin(self.nodes, nodes)
        together = np.concatenate([self.nodes[kept], nodes])
        order = np.argsort(together)
        parts = [self.patch[:, 1:][:, kept], vectors]
        merged = np.concatenate(parts, axis=1)[:, order]
        patch = np.concatenate([self.patch[:, :1], merged], axis=1)
        return replace(self, nodes=together[order].astype(np.int32), patch=patch)

    def folded(
        self,
        nodes: Ids,
        ratings: tuple[Ids, Ids, Floats],
        other: FactorSide,
        alpha: Floats,
        threads: int = 1,
    ) -> FactorSide:
        """The same with some rows fitted to the other side.

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
        ptr = np.concatenate([[0], np.cumsum(np.bincount(at, minlength=len(nodes)))])
        rows = RatingRows(ptr, other.locate(column[order]), target[order])
        return self.patched(nodes, self.expected(rows, other.known(alpha, self.links), threads))
