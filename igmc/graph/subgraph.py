"""The value object that every stage after extraction speaks: enclosing subgraphs in flat arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from igmc.errors import DataError
from igmc.short_repr import short_repr

__all__ = ["Subgraphs"]

_DTYPES = {
    "user": np.int32,
    "item": np.int32,
    "user_ptr": np.int64,
    "item_ptr": np.int64,
    "edge_ptr": np.int64,
    "user_id": np.int32,
    "user_label": np.uint8,
    "item_id": np.int32,
    "item_label": np.uint8,
    "degree": np.int32,
    "edge_item": np.int32,
    "edge_level": np.uint8,
}


@dataclass(frozen=True, eq=False)
class Subgraphs:
    """P enclosing subgraphs with U user nodes, I item nodes and E rated edges in all.

    Subgraph p has the user nodes ``user_ptr[p]:user_ptr[p+1]``, the item nodes ``item_ptr[p]:item_ptr[p+1]``
    and the edges ``edge_ptr[p]:edge_ptr[p+1]``. On each side node 0 is the target; the others follow by
    distance, then by index. Edges stand once, as rows: user node after user node, ``degree`` of them each,
    ordered within a row by (level, item index). The pair's own edge is never among them.

    Attributes:
        user, item: int32 [P], the target pair as dense indices.
        user_ptr, item_ptr, edge_ptr: int64 [P + 1], ascending from 0.
        user_id, item_id: int32 [U], [I], dense index of each node.
        user_label, item_label: uint8 [U], [I]; 2d for a user, 2d + 1 for an item at distance d.
        degree: int32 [U], rated edges of each user node.
        edge_item: int32 [E], the item's position among the item nodes of its own subgraph.
        edge_level: uint8 [E], the level of the rating.
    """

    __repr__ = short_repr

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    user_ptr: NDArray[np.int64]
    item_ptr: NDArray[np.int64]
    edge_ptr: NDArray[np.int64]
    user_id: NDArray[np.int32]
    user_label: NDArray[np.uint8]
    item_id: NDArray[np.int32]
    item_label: NDArray[np.uint8]
    degree: NDArray[np.int32]
    edge_item: NDArray[np.int32]
    edge_level: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.user)

    @property
    def n_nodes(self) -> int:
        """User and item nodes of all subgraphs together."""
        return len(self.user_id) + len(self.item_id)

    @property
    def n_edges(self) -> int:
        """Rated edges of all subgraphs together, each counted once."""
        return len(self.edge_item)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, in the order of declaration; no copies."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def __getitem__(self, rows: slice) -> Subgraphs:
        """A run of consecutive subgraphs; the node and edge arrays are views."""
        start, stop, step = rows.indices(len(self))
        if step != 1:
            raise IndexError("only runs of consecutive subgraphs can be cut out")
        stop = max(start, stop)
        u, i, e = (ptr[start : stop + 1] for ptr in (self.user_ptr, self.item_ptr, self.edge_ptr))
        users, items, edges = (slice(int(ptr[0]), int(ptr[-1])) for ptr in (u, i, e))
        return Subgraphs(
            user=self.user[start:stop],
            item=self.item[start:stop],
            user_ptr=u - u[0],
            item_ptr=i - i[0],
            edge_ptr=e - e[0],
            user_id=self.user_id[users],
            user_label=self.user_label[users],
            item_id=self.item_id[items],
            item_label=self.item_label[items],
            degree=self.degree[users],
            edge_item=self.edge_item[edges],
            edge_level=self.edge_level[edges],
        )

    @classmethod
    def concat(cls, parts: list[Subgraphs]) -> Subgraphs:
        """The subgraphs of all parts, one part after the other."""
        if len(parts) == 1:
            return parts[0]
        columns: dict[str, NDArray[Any]] = {}
        for name, dtype in _DTYPES.items():
            arrays = [getattr(part, name) for part in parts]
            if name.endswith("_ptr"):
                lengths = np.concatenate([np.zeros(1, np.int64), *(np.diff(ptr) for ptr in arrays)])
                columns[name] = np.cumsum(lengths)
            else:
                columns[name] = np.concatenate([np.empty(0, dtype), *arrays])
        return cls(**columns)

    def check(self) -> None:
        """Raise unless the arrays have the stated types and fit together; used where data enters.

        Raises:
            DataError: naming the array and what is wrong with it.
        """
        for name, dtype in _DTYPES.items():
            array = getattr(self, name)
            if array.dtype != dtype or array.ndim != 1:
                raise DataError(
                    f"subgraph array {name} has the wrong type",
                    got=array.dtype.name,
                    allowed=np.dtype(dtype).name,
                )
        pairs = len(self.user)
        ends = (
            ("user_ptr", len(self.user_id)),
            ("item_ptr", len(self.item_id)),
            ("edge_ptr", len(self.edge_item)),
        )
        for name, end in ends:
            ptr = getattr(self, name)
            if len(ptr) != pairs + 1 or ptr[0] != 0 or ptr[-1] != end or np.any(np.diff(ptr) < 0):
                raise DataError(f"subgraph array {name} does not ascend from 0 to {end} over {pairs} pairs")
        if (
            len(self.item) != pairs
            or len(self.user_label) != len(self.user_id)
            or len(self.item_label) != len(self.item_id)
        ):
            raise DataError("subgraph arrays differ in length")
        if len(self.degree) != len(self.user_id) or len(self.edge_level) != len(self.edge_item):
            raise DataError("subgraph arrays differ in length")
        row_ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(self.degree, dtype=np.int64)])
        if np.any(self.degree < 0) or not np.array_equal(row_ends[self.user_ptr], self.edge_ptr):
            raise DataError("subgraph degrees do not add up to the edges")
        limits = np.repeat(np.diff(self.item_ptr), np.diff(self.edge_ptr))
        if np.any(self.edge_item < 0) or np.any(self.edge_item >= limits):
            raise DataError("a subgraph edge points outside its own item nodes")
