"""What frames say of users and items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from igmc.errors import DataError
from igmc.ratings.any_table import Frame, as_pandas
from igmc.ratings.ids import IdTable, missing
from igmc.ratings.usual_names import USUAL, plain_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["frame_info"]

# What is known of users and items -> how its column may be called; see `USUAL`.
KNOWN = {
    "user": {
        "age": ("age",),
        "gender": ("gender", "sex"),
        "occupation": ("occupation", "job"),
        "zip_code": ("zipcode", "zip", "postcode"),
    },
    "item": {
        "title": ("title", "name"),
        "genres": ("genres", "genre", "categories", "category"),
        "year": ("year", "releaseyear"),
        "text": ("text", "description", "overview", "plot", "summary"),
    },
}
_NUMBERS = ("age", "year")


def frame_info(side: str, given: Frame, ids: IdTable, label: Any) -> pd.DataFrame:
    """What a frame says of each id, in their order; of others texts are empty and numbers missing."""
    import pandas as pd

    frame = as_pandas(given, f"{side}s")
    raw = _id_column(side, frame, label)
    known: dict[str, Any] = {}
    for name, usual in KNOWN[side].items():
        hits = [column for word in usual for column in frame.columns if plain_name(column) == word]
        if hits:
            known[name] = frame[hits[0]]
    if not known:
        raise DataError(
            f"the frame of {side}s says nothing of them",
            got=", ".join(map(str, frame.columns)),
            allowed=f"one or more of the columns {', '.join(KNOWN[side])}",
        )
    at = pd.Series(np.arange(len(frame)), index=ids.encode(raw))
    at = at[at.index >= 0]
    if at.index.has_duplicates:
        twice = int(at.index[at.index.duplicated()][0])
        raise DataError(f"the frame of {side}s names one twice", got=ids.ids[twice], allowed="each once")
    rows = at.reindex(range(len(ids)), fill_value=-1).to_numpy()
    cells = {
        name: (_years(column) if name in _NUMBERS else column.map(_text)).take(np.maximum(rows, 0))
        for name, column in known.items()
    }
    info = pd.DataFrame({name: column.reset_index(drop=True) for name, column in cells.items()})
    absent = rows < 0
    for name in known:
        info.loc[absent, name] = pd.NA if name in _NUMBERS else ""
    return info


def _id_column(side: str, frame: pd.DataFrame, label: Any) -> list[Any]:
    names = list(frame.columns)
    usual = [name for name in names if plain_name(name) in USUAL[side]]
    hits = [label] if label in names else usual or [name for name in names if plain_name(name) == "id"]
    if len(hits) == 1:
        return frame[hits[0]].tolist()
    if not hits and (frame.index.name is not None or frame.index.dtype == object):
        return frame.index.tolist()
    raise DataError(
        f"the frame of {side}s does not tell which column holds their ids",
        got=", ".join(map(str, names)),
        allowed=f"a column named {label} as in the ratings, or an index of ids",
    )


def _text(cell: Any) -> str:
    """A cell as text; several genres have ``|`` between them."""
    if isinstance(cell, list | tuple | set | np.ndarray):
        return "|".join(map(str, cell))
    return "" if missing(cell) else str(cell)


def _years(column: pd.Series[Any]) -> pd.Series[Any]:
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column):
        column = column.dt.year
    years: pd.Series[Any] = pd.to_numeric(column, errors="coerce").round().astype("Int64")
    return years
