"""Copies the subgraphs of chosen pairs out of narrow columns into the wide arrays of `Subgraphs`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from igmc.compiled import kernel
from igmc.graph import Subgraphs
from igmc.store.shard import Shard

__all__ = ["allocate", "fill"]

# Field of Subgraphs -> (column of the shard, whose pointers its rows follow).
_RAGGED = {
    "user_id": ("user/id", "user"),
    "user_label": ("user/label", "user"),
    "degree": ("user/degree", "user"),
    "item_id": ("item/id", "item"),
    "item_label": ("item/label", "item"),
    "edge_item": ("edge/item", "edge"),
    "edge_level": ("edge/level", "edge"),
}


def allocate(sizes: dict[str, NDArray[np.int64]]) -> Subgraphs:
    """Room for subgraphs of these sizes.

    Args:
        sizes: int64 [P] user nodes, item nodes and edges of each, under "user", "item" and "edge".
    """
    pairs = len(sizes["user"])
    ptr = {side: np.zeros(pairs + 1, np.int64) for side in sizes}
    for side, counts in sizes.items():
        np.cumsum(counts, out=ptr[side][1:])
    users, items, edges = (int(ptr[side][-1]) for side in ("user", "item", "edge"))
    return Subgraphs(
        user=np.empty(pairs, np.int32),
        item=np.empty(pairs, np.int32),
        user_ptr=ptr["user"],
        item_ptr=ptr["item"],
        edge_ptr=ptr["edge"],
        user_id=np.empty(users, np.int32),
        user_label=np.empty(users, np.uint8),
        item_id=np.empty(items, np.int32),
        item_label=np.empty(items, np.uint8),
        degree=np.empty(users, np.int32),
        edge_item=np.empty(edges, np.int32),
        edge_level=np.empty(edges, np.uint8),
    )


def fill(out: Subgraphs, places: NDArray[np.int64], shard: Shard, rows: NDArray[np.int64]) -> None:
    """Copy the shard's pairs `rows` to the places `places` of `out`; both int64 of one length."""
    out.user[places] = shard.columns["pair/user"][rows]
    out.item[places] = shard.columns["pair/item"][rows]
    for field, (column, side) in _RAGGED.items():
        _copy(
            shard.columns[column],
            shard.ptr[side],
            rows,
            getattr(out, field),
            getattr(out, f"{side}_ptr"),
            places,
        )


@kernel
def _copy(source, source_ptr, rows, out, out_ptr, places):  # type: ignore[no-untyped-def]
    for k in range(len(rows)):
        start, stop = source_ptr[rows[k]], source_ptr[rows[k] + 1]
        at = out_ptr[places[k]]
        for j in range(stop - start):
            out[at + j] = source[start + j]
