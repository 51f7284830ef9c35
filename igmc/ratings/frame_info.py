"""Side information of users and items from frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from igmc.errors import DataError
from igmc.ratings.any_table import Frame, as_pandas
from igmc.ratings.ids import IdTable
from igmc.ratings.info_cells import genres, word, year, year_of_title
from igmc.ratings.usual_names import INFO, USUAL, plain_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["frame_info", "id_column"]

_NUMBERS = ("age", "year")


def frame_info(side: str, given: Frame, ids: IdTable, label: Any) -> pd.DataFrame:
    """The side information of each id, in order; empty or missing for ids that are not in the frame."""
    import pandas as pd

    frame = as_pandas(given, f"{side}s")
    raw = id_column(side, frame, label)
    known: dict[str, Any] = {}
    for name, usual in INFO[side].items():
        hits = [column for word in usual for column in frame.columns if plain_name(column) == word]
        if hits:
            known[name] = frame[hits[0]]
    if not known:
        raise DataError(
            f"the frame of {side}s has no column of side information",
            got=", ".join(map(str, frame.columns)),
            allowed=f"one or more of the columns {', '.join(INFO[side])}",
        )
    at = pd.Series(np.arange(len(frame)), index=ids.encode(raw))
    at = at[at.index >= 0]
    for twice in at.index[at.index.duplicated()].unique().tolist():
        if len(pd.DataFrame(known).iloc[at.loc[twice].to_numpy()].astype(str).drop_duplicates()) > 1:
            raise DataError(
                f"the frame of {side}s describes an id twice, in different ways",
                got=ids.ids[twice],
                remedy="keep one of these rows",
            )
    at = at[~at.index.duplicated()]
    if len(ids) and not len(at):
        raise DataError(
            f"the frame of {side}s contains none of the rated {side}s",
            got=raw[:3],
            allowed=f"ids as in the ratings, such as {ids.ids[0]!r}",
            remedy="use the same type of ids in both frames: 7 and '7' are different ids",
        )
    rows = at.reindex(range(len(ids)), fill_value=-1).to_numpy()
    cells = {name: _cells(name, column) for name, column in known.items()}
    if "title" in cells and "year" not in cells and side == "item":
        years = pd.array([year_of_title(title) for title in cells["title"]], dtype="Int64")
        if not years.isna().all():
            cells["year"] = pd.Series(years)
    taken = {name: column.take(np.maximum(rows, 0)) for name, column in cells.items()}
    info = pd.DataFrame({name: column.reset_index(drop=True) for name, column in taken.items()})
    absent = rows < 0
    for name in cells:
        info.loc[absent, name] = pd.NA if name in _NUMBERS else ""
    return info


def id_column(side: str, frame: pd.DataFrame, label: Any) -> list[Any]:
    """The ids of a frame about users or items: of the column `label`, of a usual name, or of the index."""
    names = list(frame.columns)
    usual = [name for name in names if plain_name(name) in USUAL[side]]
    hits = [label] if label in names else usual or [name for name in names if plain_name(name) == "id"]
    if len(hits) == 1:
        return frame[hits[0]].tolist()
    if not hits and (frame.index.name is not None or frame.index.dtype == object):
        return frame.index.tolist()
    raise DataError(
        f"cannot find the column of ids in the frame of {side}s",
        got=", ".join(map(str, names)),
        allowed=f"a column named {label} as in the ratings, or an index of ids",
    )


def _cells(name: str, column: pd.Series[Any]) -> pd.Series[Any]:
    """A column as `igmc.ratings.dataset.Dataset` has it."""
    import pandas as pd

    if name == "age":
        ages: pd.Series[Any] = pd.to_numeric(column, errors="coerce").round().astype("Int64")
        return ages
    if name == "year":
        return pd.Series(pd.array([year(cell) for cell in column], dtype="Int64"))
    return column.map(genres if name == "genres" else word)
