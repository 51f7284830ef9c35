"""Item information, stored in the run folder so that serving needs no other data."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from igmc.errors import CheckpointError
from igmc.files import replace_file
from igmc.ratings import IdTable
from igmc.short_repr import short_repr

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ITEMS_FILE", "ItemInfo"]

ITEMS_FILE = "items.json.gz"  # about 25 bytes an item
FORMAT = 1

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ItemInfo:
    """Titles, genres and years of n items, by dense index.

    Attributes:
        titles: [n] texts, empty where unknown.
        genres: [n] texts, the genres of an item with ``|`` between them; empty where unknown.
        years: [n] whole numbers, None where unknown.
    """

    __repr__ = short_repr

    titles: tuple[str, ...]
    genres: tuple[str, ...]
    years: tuple[int | None, ...]

    @classmethod
    def of(cls, info: pd.DataFrame) -> ItemInfo:
        """From `igmc.ratings.dataset.Dataset.item_info`, in which any of the columns may be missing."""
        size = len(info)
        titles, genres = (
            tuple(map(str, info[name].fillna(""))) if name in info else ("",) * size
            for name in ("title", "genres")
        )
        years: list[Any] = info["year"].astype(object).tolist() if "year" in info else [None] * size
        return cls(titles, genres, tuple(y if isinstance(y, int) else None for y in years))

    def __add__(self, other: ItemInfo) -> ItemInfo:
        """Both, these first."""
        return ItemInfo(self.titles + other.titles, self.genres + other.genres, self.years + other.years)

    @cached_property
    def genre_names(self) -> tuple[str, ...]:
        """All genres that occur, in ascending order."""
        return tuple(sorted({word for cell in set(self.genres) for word in cell.split("|")} - {""}))

    def of_genres(self, names: Sequence[str]) -> Mask:
        """Which items have at least one of these genres, bool [n]; capitals do not matter."""
        found = np.zeros(len(self.genres), bool)
        for name in names:
            found |= self._by_genre.get(name.casefold(), found)
        return found

    def of_years(self, first: int | None, last: int | None) -> Mask:
        """Which items are of these years, bool [n]; an unknown year is none of them."""
        low, high = -np.inf if first is None else first, np.inf if last is None else last
        inside: Mask = (self._years >= low) & (self._years <= high)
        return inside

    @cached_property
    def _by_genre(self) -> dict[str, Mask]:
        cells = [set(cell.casefold().split("|")) for cell in self.genres]
        names = {name.casefold() for name in self.genre_names}
        return {name: np.array([name in cell for cell in cells], bool) for name in names}

    @cached_property
    def _years(self) -> NDArray[np.float64]:
        return np.array([np.nan if year is None else year for year in self.years], np.float64)

    def beside(self, frame: pd.DataFrame, items: NDArray[np.integer]) -> pd.DataFrame:
        """A frame of n items, int [n] dense indices, with title, genres and year; empty for later items."""
        import pandas as pd

        found = self.columns(items)
        return frame.assign(**found | {"year": pd.array(found["year"], dtype="Int64")})

    def columns(self, items: NDArray[np.integer]) -> dict[str, list[Any]]:
        """Title, genres and year (None if unknown) of n items, int [n] indices; empty for later items."""
        known, places = len(self.titles), items.tolist()
        return {
            "title": [self.titles[k] if k < known else "" for k in places],
            "genres": [self.genres[k] if k < known else "" for k in places],
            "year": [self.years[k] if k < known else None for k in places],
        }

    def save(self, folder: Path, items: IdTable) -> None:
        """Write ``items.json.gz`` into a run folder, atomically.

        Raises:
            IgmcError: if it cannot be written.
        """
        value = {
            "format": FORMAT,
            "items": items.digest(),
            "title": self.titles,
            "genres": self.genres,
            "year": self.years,
        }
        text = json.dumps(value, separators=(",", ":"))
        replace_file(folder / ITEMS_FILE, gzip.compress(text.encode(), mtime=0))

    @classmethod
    def load(cls, folder: Path, items: IdTable) -> ItemInfo | None:
        """Read what `save` wrote; None if there is no such file, as in older runs.

        Raises:
            CheckpointError: if the file is damaged, or of other items.
        """
        path = folder / ITEMS_FILE
        if not path.exists():
            return None
        try:
            value = json.loads(gzip.decompress(path.read_bytes()))
            columns = tuple(value["title"]), tuple(value["genres"]), tuple(value["year"])
            fits = value["format"] == FORMAT and value["items"] == items.digest()
            fits = fits and {len(column) for column in columns} == {len(items)}
        except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error) as error:
            raise _damaged(path, f"cannot be read: {error}") from error
        if not fits:
            raise _damaged(path, "is not of the items of this run")
        return cls(*columns)


def _damaged(path: Path, what: str) -> CheckpointError:
    return CheckpointError(
        f"{path} {what}", remedy=f"delete {path.name}: the igmc-train command of the run writes it again"
    )
