"""Vectors of items, such as embeddings of their texts or pictures, that somebody else has computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from igmc.errors import DataError
from igmc.ratings.ids import IdTable
from igmc.ratings.readers.items import item_table

__all__ = ["read_item_vectors"]


def read_item_vectors(path: Path, ids: IdTable) -> NDArray[np.float32]:
    """The vectors in a table with a header: ids in the first column, and numbers in all others.

    Args:
        path: CSV or other text, JSON lines or Parquet, perhaps compressed.
        ids: of the items; what the file tells of others is left out.

    Returns:
        float32 [n_items, E]; NaN for items that the file does not tell of.

    Raises:
        DataError: if the file is missing or malformed, holds what is no finite number, names an item
            twice, or tells of none of the items.
    """
    table = item_table(path)
    if table.shape[1] < 2:
        raise DataError(
            f"{path} holds no vectors", got=list(table.columns), allowed="ids and columns of numbers"
        )
    place = {str(raw): at for at, raw in enumerate(ids.ids)}
    names = [str(raw).strip() for raw in table.iloc[:, 0]]
    rows = [row for row, name in enumerate(names) if name in place]
    items = [place[names[row]] for row in rows]
    if not rows or len(set(items)) < len(items):
        told = "names an item twice" if rows else "tells of none of the items"
        raise DataError(
            f"{path} {told}",
            got=names[:3],
            allowed=f"in the first column each id once, such as {ids.ids[0]!r}",
        )
    found = np.full((len(ids), table.shape[1] - 1), np.nan, np.float32)
    for column, name in enumerate(table.columns[1:]):
        cells = table.iloc[rows, column + 1].tolist()
        try:
            found[items, column] = [float(cell) for cell in cells]
        except (TypeError, ValueError) as error:
            raise DataError(
                f"{path}: the column {name} holds something that is not a number", got=str(error)
            ) from error
    bad = np.flatnonzero(~np.isfinite(found[items]).all(axis=1))
    if len(bad):
        raise DataError(f"{path}: a number of an item is not finite", got=names[rows[int(bad[0])]])
    return found
