"""The ratings as a weighted graph of all users and items, whole or sampled, for graph neural networks."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from igmc.errors import DataError
from igmc.ratings import UNKNOWN_TIME
from igmc.recommenders.training_data import Ratings

__all__ = ["EDGE_WEIGHTS", "NORMALIZATIONS", "Adjacency", "edge_weights", "product"]

EDGE_WEIGHTS = ("none", "rating", "centred", "recency")
NORMALIZATIONS = ("none", "mean", "symmetric", "symmetric+self")
DAY = 86_400  # seconds

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


def edge_weights(known: Ratings, kind: str, half_life: float) -> Floats:
    """A weight for each rating, float32 [n], of mean absolute value 1.

    Args:
        known: the ratings.
        kind: "none": 1. "rating": the rating. "centred": the rating less the mean of its user. "recency":
            ``2 ** (-age / half_life)``, where the latest rating has age 0, and a rating of unknown time the
            mean age.
        half_life: in days.

    Raises:
        DataError: on "recency" if no time is known.
    """
    if kind == "none":
        return np.ones(len(known), np.float32)
    if kind == "recency":
        timed = known.timestamp != UNKNOWN_TIME
        if not timed.any():
            raise DataError(
                "edges cannot be weighted by recency: the ratings have no timestamps",
                remedy="choose another edge_weight",
            )
        age = (known.timestamp[timed].max() - known.timestamp) / DAY
        age[~timed] = age[timed].mean()
        weight = np.exp2(-age / half_life)
    else:
        weight = known.rating.astype(np.float64)
        if kind == "centred":
            count = np.maximum(np.bincount(known.user), 1)
            weight = weight - (np.bincount(known.user, weight) / count)[known.user]
    size = np.abs(weight).mean()
    scaled: Floats = (weight / size if size > 0 else weight).astype(np.float32)
    return scaled


@dataclass(frozen=True, eq=False)
class Adjacency:
    """A directed graph of N nodes by the target of its edges (CSR); users come first, then items.

    Attributes:
        start: int64 [N + 1]; the edges into node i are ``start[i]`` to ``start[i + 1]``.
        source: int64 [E], the node that an edge comes from.
        weight: float32 [E].
        rating: int64 [E], the number of the rating that an edge stands for, -1 for none.
        normalized: whether weights are for adding up; if so, they grow where other edges are left out.
    """

    start: Rows
    source: Rows
    weight: Floats
    rating: Rows
    normalized: bool

    @classmethod
    def of(
        cls, known: Ratings, weight: Floats, *, n_users: int, n_items: int, normalization: str
    ) -> Adjacency:
        """Two edges for each rating, one in either direction.

        Args:
            known: the ratings.
            weight: float32 [n], as `edge_weights` makes them.
            n_users, n_items: sizes of both sides.
            normalization: with d_i the sum of the absolute weights of the edges into i: "none" leaves the
                weights w_ij, "mean" makes them ``w_ij / d_i``, "symmetric" ``w_ij / sqrt(d_i d_j)``;
                "symmetric+self" is the same after adding an edge of weight 1 from each node to itself.
        """
        size = n_users + n_items
        user, item = known.user.astype(np.int64), known.item.astype(np.int64) + n_users
        row = np.arange(len(known))
        loops = np.arange(size if normalization == "symmetric+self" else 0)
        target = np.concatenate([user, item, loops])
        source = np.concatenate([item, user, loops])
        weights = np.concatenate([weight, weight, np.ones(len(loops), np.float32)]).astype(np.float64)
        rating = np.concatenate([row, row, np.full(len(loops), -1)])
        degree = np.maximum(np.bincount(target, np.abs(weights), size), 1e-12)
        if normalization == "mean":
            weights = weights / degree[target]
        elif normalization != "none":
            weights = weights / np.sqrt(degree[target] * degree[source])
        order = np.lexsort([source, target])
        return cls(
            _starts(target, size),
            source[order],
            weights[order].astype(np.float32),
            rating[order],
            normalized=normalization != "none",
        )

    def __len__(self) -> int:
        """The number of nodes."""
        return len(self.start) - 1

    @cached_property
    def degree(self) -> Rows:
        """The number of edges into each node, int64 [N]."""
        return np.diff(self.start)

    @cached_property
    def target(self) -> Rows:
        """The node that each edge goes to, int64 [E]."""
        return np.repeat(np.arange(len(self)), self.degree)

    def thinned(self, keep: NDArray[np.bool_]) -> Adjacency:
        """Only some of the edges.

        Args:
            keep: bool [E].
        """
        start = np.concatenate([[0], np.cumsum(keep)])[self.start]
        return self._part(
            start, np.flatnonzero(keep), np.repeat(self.degree, np.diff(start)), self.source[keep]
        )

    def _part(self, start: Rows, edges: Rows, degree: Rows, source: Rows) -> Adjacency:
        """Some edges, into nodes that had `degree`; weights grow, so that sums stay the same on average."""
        weight = self.weight[edges]
        if self.normalized:
            left = np.diff(start)
            weight = weight * (degree / np.repeat(left, left)).astype(np.float32)
        return Adjacency(start, source, weight, self.rating[edges], self.normalized)

    def sampled(
        self, seeds: Rows, fanouts: Sequence[int], rng: np.random.Generator
    ) -> tuple[Rows, Adjacency]:
        """The part of the graph that as many layers as there are fan-outs need, thinned at random.

        Each seed keeps at most ``fanouts[0]`` edges into it, the nodes at their other ends, if new, at most
        ``fanouts[1]``, and so on (Hamilton, Ying & Leskovec, *Inductive Representation Learning on Large
        Graphs*, 2017). What is kept is a uniform choice, and weighs so much more that sums keep their
        expected values. A fan-out of a node's degree or more keeps all of its edges; below it, a few fewer
        than the fan-out can be kept, since an edge that is drawn twice counts once.

        Args:
            seeds: int64, nodes.
            fanouts: one for each layer, the outermost last.
            rng: what is drawn.

        Returns:
            the nodes, int64 [n], ascending; and the graph on them, node k of which is ``nodes[k]``.
        """
        nodes = frontier = np.unique(seeds)
        kept = []
        for fanout in fanouts:
            kept.append(self._draw(frontier, fanout, rng))
            frontier = np.setdiff1d(self.source[kept[-1]], nodes)
            nodes = np.union1d(nodes, frontier)
        edges = np.sort(np.concatenate(kept))
        target = np.searchsorted(self.start, edges, side="right") - 1
        start = _starts(np.searchsorted(nodes, target), len(nodes))
        source = np.searchsorted(nodes, self.source[edges])
        return nodes, self._part(start, edges, self.degree[target], source)

    def _draw(self, nodes: Rows, fanout: int, rng: np.random.Generator) -> Rows:
        """At most `fanout` edges into each of some nodes, ascending."""
        degree = self.degree[nodes]
        few, many = nodes[degree <= fanout], nodes[degree > fanout]
        whole = _ranges(self.start[few], self.start[few + 1])
        drawn = rng.random((len(many), fanout)) * self.degree[many][:, None]
        return np.unique(
            np.concatenate([whole, (self.start[many][:, None] + drawn.astype(np.int64)).ravel()])
        )

    @cached_property
    def matrix(self) -> torch.Tensor:
        """The weights, a float32 sparse CSR tensor [N, N] for `product`; row i holds the edges into i."""
        size = len(self)
        there = sparse.csr_array((self.weight, self.source, self.start), shape=(size, size))
        matrix, back = (_tensor(part) for part in (there, there.T.tocsr()))
        matrix.back = back  # type: ignore[attr-defined]
        return matrix

    @cached_property
    def edges(self) -> torch.Tensor:
        """int64 [2, E]: source and target of each edge, as PyG writes them."""
        return torch.from_numpy(np.stack([self.source, self.target]))


def product(matrix: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """``matrix @ x``, whose gradient, too, is the product with a CSR matrix.

    torch would sort the edges anew in each backward pass, which takes as long as all the rest of a step.

    Args:
        matrix: as `Adjacency.matrix` makes it.
        x: float32 [N, D].
    """
    out: torch.Tensor = _Product.apply(matrix, x)  # type: ignore[no-untyped-call]
    return out


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, matrix: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        ctx.back = matrix.back  # type: ignore[attr-defined]
        return matrix @ x

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[None, torch.Tensor]:
        back: torch.Tensor = ctx.back
        return None, back @ grad


def _tensor(matrix: sparse.csr_array) -> torch.Tensor:
    start, source, weight = (torch.from_numpy(a) for a in (matrix.indptr, matrix.indices, matrix.data))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta", UserWarning)
        return torch.sparse_csr_tensor(start, source, weight, size=matrix.shape, check_invariants=False)


def _starts(target: Rows, size: int) -> Rows:
    return np.concatenate([[0], np.cumsum(np.bincount(target, minlength=size))]).astype(np.int64)


def _ranges(low: Rows, high: Rows) -> Rows:
    """All numbers from low to below high, for each pair of bounds."""
    size = high - low
    return np.repeat(low - (np.cumsum(size) - size), size) + np.arange(size.sum())
