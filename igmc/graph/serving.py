"""The rating graph while it serves: new ratings lie over it as a patch of rows, and nothing is rebuilt.

A rating touches two rows only, its user's and its item's. A view keeps those rows anew and reads all others
from the graph below, which it shares with every other view and never changes. Subgraphs cut from a view are
those of the rebuilt graph, to the last index and draw: rows keep their order (level, neighbour).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.errors import DataError
from igmc.graph.bipartite import BipartiteGraph, checked_ratings, level_dtype
from igmc.graph.splice import RowSplice
from igmc.short_repr import short_repr

__all__ = ["Patch", "Rows", "ServingGraph"]

Ints = NDArray[np.int64]


class Patch(NamedTuple):
    """K rows of one side that stand in place of the graph's, or beyond its end.

    Attributes:
        nodes: int32 [K], ascending; ptr: int64 [K + 1]; neighbours: int32, levels:
            see `BipartiteGraph`.
    """

    nodes: NDArray[np.int32]
    ptr: NDArray[np.int64]
    neighbours: NDArray[np.int32]
    levels: NDArray[np.unsignedinteger]


def _patch(nodes: ArrayLike, rows: list[tuple[NDArray[np.int32], NDArray[np.unsignedinteger]]]) -> Patch:
    ptr = np.zeros(len(rows) + 1, np.int64)
    ptr[1:] = np.cumsum([len(neighbours) for neighbours, _ in rows])
    return Patch(
        np.array(nodes, np.int32),
        ptr,
        np.concatenate([np.empty(0, np.int32), *(neighbours for neighbours, _ in rows)]),
        np.concatenate([np.empty(0, np.uint8), *(levels for _, levels in rows)]),
    )


_NO_PATCH = _patch([], [])


class Rows(NamedTuple):
    """The rows of one side: those of a graph, and a patch over them.

    Attributes:
        ptr, neighbours, levels: of the graph below; see `BipartiteGraph`.
        size: rows in all; every row beyond those of the graph below is in the patch.
        patch: what counts where both have a row.
    """

    ptr: NDArray[np.int64]
    neighbours: NDArray[np.int32]
    levels: NDArray[np.unsignedinteger]
    size: int
    patch: Patch = _NO_PATCH

    @classmethod
    def of(cls, graph: BipartiteGraph) -> tuple[Rows, Rows]:
        """The rows of a graph's users and of its items; no copies."""
        return (
            cls(graph.user_ptr, graph.user_items, graph.user_levels, graph.n_users),
            cls(graph.item_ptr, graph.item_users, graph.item_levels, graph.n_items),
        )

    def row(self, node: int) -> tuple[NDArray[np.int32], NDArray[np.unsignedinteger]]:
        """Neighbours and levels of a node, as views; nothing for a node that is not there yet."""
        at = int(np.searchsorted(self.patch.nodes, node))
        if at < len(self.patch.nodes) and self.patch.nodes[at] == node:
            chosen = slice(self.patch.ptr[at], self.patch.ptr[at + 1])
            return self.patch.neighbours[chosen], self.patch.levels[chosen]
        chosen = slice(self.ptr[node], self.ptr[node + 1]) if node < len(self.ptr) - 1 else slice(0, 0)
        return self.neighbours[chosen], self.levels[chosen]

    def degrees(self, nodes: NDArray[np.int32]) -> Ints:
        """The number of ratings of each node, int64 [n]; `nodes` are in 0..size-1."""
        below = nodes < len(self.ptr) - 1
        degree = np.zeros(len(nodes), np.int64)
        degree[below] = self.ptr[nodes[below] + 1] - self.ptr[nodes[below]]
        if len(self.patch.nodes):
            at = np.minimum(np.searchsorted(self.patch.nodes, nodes), len(self.patch.nodes) - 1)
            patched = self.patch.nodes[at] == nodes
            degree[patched] = np.diff(self.patch.ptr)[at[patched]]
        return degree

    def patched(
        self, nodes: Ints, others: Ints, levels: Ints, size: int, n_others: int, n_levels: int
    ) -> Rows:
        """These rows with n ratings changed: each takes the place of one of the same pair; -1 removes it."""
        touched, own = np.unique(nodes, return_inverse=True)
        rows = [self.row(int(node)) for node in touched]
        below = _patch(touched, rows)
        # One number a rating, so that (row, level, neighbour) is kept in order by sorting numbers.
        stride = n_levels * n_others
        row = np.repeat(np.arange(len(touched)), np.diff(below.ptr))
        keys = row * stride + below.levels.astype(np.int64) * n_others + below.neighbours
        old, new = row * n_others + below.neighbours, np.sort(own * n_others + others)
        replaced = new[np.minimum(np.searchsorted(new, old), len(new) - 1)] == old
        keys = keys[~replaced]
        stays = levels >= 0
        added = np.sort(own[stays] * stride + levels[stays] * n_others + others[stays])
        keys = np.insert(keys, np.searchsorted(keys, added), added)
        ptr = np.searchsorted(keys, np.arange(len(touched) + 1) * stride)
        merged = Patch(
            below.nodes,
            ptr.astype(np.int64),
            (keys % n_others).astype(np.int32),
            (keys // n_others % n_levels).astype(level_dtype(n_levels)),
        )
        return self._over(merged, size)

    def _over(self, new: Patch, size: int) -> Rows:
        """These rows under a patch; where they are patched themselves, both patches become one."""
        fresh = np.setdiff1d(np.arange(self.size, size, dtype=np.int32), new.nodes)
        old = self.patch
        if len(fresh):  # nodes without any rating yet
            nothing = _patch(fresh, [(new.neighbours[:0], new.levels[:0])] * len(fresh))
            old = _spliced(old, nothing)
        return Rows(self.ptr, self.neighbours, self.levels, size, _spliced(old, new))


def _spliced(old: Patch, new: Patch) -> Patch:
    if not len(old.nodes):
        return new
    rows = RowSplice(old.nodes, new.nodes, old.ptr, new.ptr)
    return Patch(
        rows.nodes,
        rows.ptr,
        rows.values(old.neighbours, new.neighbours),
        rows.values(old.levels, new.levels),
    )


@dataclass(frozen=True, eq=False)
class ServingGraph:
    """A rating graph that new ratings can be laid over. Make one with `of`; it never changes.

    Attributes:
        n_levels: number of relation types L.
        by_user, by_item: the rows of both sides.
        level_counts: int64 [L], the ratings of each level.
    """

    __repr__ = short_repr

    n_levels: int
    by_user: Rows
    by_item: Rows
    level_counts: Ints

    @classmethod
    def of(cls, graph: BipartiteGraph) -> ServingGraph:
        """The view of a graph as it is."""
        counts = np.bincount(graph.user_levels, minlength=graph.n_levels)
        return cls(graph.n_levels, *Rows.of(graph), counts)

    @property
    def n_users(self) -> int:
        return self.by_user.size

    @property
    def n_items(self) -> int:
        return self.by_item.size

    @property
    def n_ratings(self) -> int:
        return int(self.level_counts.sum())

    @property
    def is_patched(self) -> bool:
        """Whether the view differs from the graph below."""
        return len(self.by_user.patch.nodes) + len(self.by_item.patch.nodes) > 0

    @property
    def n_patched(self) -> int:
        """Ratings that the view holds itself, on either side: what it costs in memory."""
        return len(self.by_user.patch.neighbours) + len(self.by_item.patch.neighbours)

    def with_ratings(
        self,
        user: ArrayLike,
        item: ArrayLike,
        level: ArrayLike,
        *,
        n_users: int | None = None,
        n_items: int | None = None,
    ) -> ServingGraph:
        """A view with n ratings more; this one stays as it is.

        Takes time and memory in proportion to the rows of the users and items that are named, whatever the
        size of the graph.

        Args:
            user, item: int [n], dense indices; no pair twice. A rating of a pair that is there replaces it.
            level: int [n], 0..n_levels-1.
            n_users, n_items: the sizes of the new view, to make room for new users and items; as now if None.

        Raises:
            DataError: on an index or level out of range, a pair that stands twice, or a size below the
                present one.
        """
        levels = np.asarray(level)
        if levels.size and levels.min() < 0:
            raise DataError(
                "a level of the graph is out of range", got=int(levels.min()), allowed="0 or more"
            )
        return self.changed(user, item, level, n_users=n_users, n_items=n_items)

    def changed(
        self,
        user: ArrayLike,
        item: ArrayLike,
        level: ArrayLike,
        *,
        n_users: int | None = None,
        n_items: int | None = None,
    ) -> ServingGraph:
        """As `with_ratings`, where a level of -1 says that the pair is not rated any more, if it was.

        Raises:
            DataError: as `with_ratings`, but for that level.
        """
        sizes = (
            self.n_users if n_users is None else n_users,
            self.n_items if n_items is None else n_items,
        )
        for name, size, now in (("users", sizes[0], self.n_users), ("items", sizes[1], self.n_items)):
            if not now <= size < 2**31:
                raise DataError(
                    f"the number of {name} of a view is out of range", got=size, allowed=f"{now}..{2**31 - 1}"
                )
        given = np.asarray(level, np.int64)
        checked = checked_ratings(
            user,
            item,
            np.where(given == -1, 0, given),
            n_users=sizes[0],
            n_items=sizes[1],
            n_levels=self.n_levels,
        )
        users, items = (column.astype(np.int64) for column in checked[:2])
        by_user = self.by_user.patched(users, items, given, *sizes, self.n_levels)
        by_item = self.by_item.patched(items, users, given, *sizes[::-1], self.n_levels)
        counts = self.level_counts.copy()
        for node in np.unique(users).tolist():
            counts += np.bincount(by_user.row(node)[1], minlength=self.n_levels)
            counts -= np.bincount(self.by_user.row(node)[1], minlength=self.n_levels)
        return ServingGraph(self.n_levels, by_user, by_item, counts)

    def without(self, user: int, item: int) -> ServingGraph:
        """A view in which this one rating is not there; this one stays as it is.

        Args:
            user, item: dense indices.

        Raises:
            DataError: if there is no such rating.
        """
        known = 0 <= user < self.n_users and 0 <= item < self.n_items
        if not known or item not in self.by_user.row(user)[0]:
            raise DataError("there is no such rating to leave out", got=(user, item))
        return self.changed([user], [item], [-1])

    def rebuilt(self) -> BipartiteGraph:
        """The same ratings as one graph without a patch, for which all of them are sorted anew."""
        rows = [self.by_user.row(user) for user in range(self.n_users)]
        user = np.repeat(np.arange(self.n_users), [len(items) for items, _ in rows])
        return BipartiteGraph.from_ratings(
            user,
            np.concatenate([items for items, _ in rows]),
            np.concatenate([levels for _, levels in rows]),
            n_users=self.n_users,
            n_items=self.n_items,
            n_levels=self.n_levels,
        )
