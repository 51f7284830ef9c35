"""The columns of a shard: how subgraphs become narrow flat arrays. FORMAT.md is the specification."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from igmc.errors import StoreError
from igmc.graph import Subgraphs

__all__ = [
    "COLUMNS",
    "DIGEST",
    "FORMAT",
    "REMEDY",
    "VERSION",
    "Columns",
    "check_columns",
    "encode",
    "pointers",
]

FORMAT = "igmc-store"
VERSION = 1
REMEDY = (
    "run igmc-extract --repair with the same data and options, or with --config RUN/config.json: "
    "it makes damaged shards again"
)

Columns = dict[str, NDArray[Any]]

DIGEST = "pair/digest"
NARROW = ("u1", "u2", "u4")
# Dataset -> allowed types, in the order of the file and of the data digest.
COLUMNS: dict[str, tuple[str, ...]] = {
    "pair/user": ("i4",),
    "pair/item": ("i4",),
    "pair/rating": ("f4",),
    "pair/users": NARROW,
    "pair/items": NARROW,
    "pair/edges": NARROW,
    DIGEST: ("u1",),
    "user/id": NARROW,
    "user/label": ("u1",),
    "user/degree": NARROW,
    "item/id": NARROW,
    "item/label": ("u1",),
    "edge/item": NARROW,
    "edge/level": ("u1",),
}


def encode(subgraphs: Subgraphs, ratings: NDArray[np.float32]) -> Columns:
    """All columns but the digests, little-endian, each count and index as narrow as its largest value allows.

    Args:
        subgraphs: P subgraphs.
        ratings: float32 [P], the rating of each pair.
    """
    return {
        "pair/user": subgraphs.user.astype("<i4", copy=False),
        "pair/item": subgraphs.item.astype("<i4", copy=False),
        "pair/rating": ratings.astype("<f4", copy=False),
        "pair/users": _narrow(np.diff(subgraphs.user_ptr)),
        "pair/items": _narrow(np.diff(subgraphs.item_ptr)),
        "pair/edges": _narrow(np.diff(subgraphs.edge_ptr)),
        "user/id": _narrow(subgraphs.user_id),
        "user/label": subgraphs.user_label,
        "user/degree": _narrow(subgraphs.degree),
        "item/id": _narrow(subgraphs.item_id),
        "item/label": subgraphs.item_label,
        "edge/item": _narrow(subgraphs.edge_item),
        "edge/level": subgraphs.edge_level,
    }


def pointers(columns: Columns) -> dict[str, NDArray[np.int64]]:
    """Where each pair's nodes and edges begin: int64 [P + 1] for "user", "item" and "edge"."""
    return {
        side: np.concatenate([np.zeros(1, np.int64), np.cumsum(columns[f"pair/{side}s"], dtype=np.int64)])
        for side in ("user", "item", "edge")
    }


def check_columns(columns: Columns, pairs: int) -> None:
    """Raise unless the columns have allowed types and lengths that fit together.

    Raises:
        StoreError: naming the column.
    """
    for name, kinds in COLUMNS.items():
        if _kind(columns[name]) not in kinds:
            raise StoreError(
                f"column {name} has the wrong type", got=_kind(columns[name]), allowed=", ".join(kinds)
            )
    lengths = {side: int(columns[f"pair/{side}s"].sum(dtype=np.int64)) for side in ("user", "item", "edge")}
    lengths["pair"] = pairs
    for name, array in columns.items():
        shape = (lengths[name.split("/")[0]], *((16,) if name == DIGEST else ()))
        if array.shape != shape:
            raise StoreError(f"column {name} has the wrong shape", got=array.shape, allowed=str(shape))


def _narrow(values: NDArray[Any]) -> NDArray[Any]:
    largest = int(values.max()) if len(values) else 0
    return values.astype("<u1" if largest < 2**8 else "<u2" if largest < 2**16 else "<u4")


def _kind(array: NDArray[Any]) -> str:
    return f"{array.dtype.kind}{array.dtype.itemsize}"
