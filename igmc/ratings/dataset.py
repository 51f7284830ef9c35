"""A data set: ratings, side information of users and items, and official splits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from igmc.argument_types import checked_types
from igmc.errors import DataError
from igmc.ratings.checks import check_min_rating
from igmc.ratings.frame import read_frames
from igmc.ratings.read_report import ReadReport, spread
from igmc.ratings.scale import KnownScale
from igmc.ratings.table import RatingTable

if TYPE_CHECKING:
    import pandas as pd
    from scipy import sparse

    from igmc.ratings.any_table import Frame
    from igmc.ratings.frame import Columns

__all__ = ["Dataset", "LazySplits", "ReadReport", "Rows"]

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Dataset:
    """The ratings of a data set, with side information and official splits.

    Attributes:
        name: the canonical name, or the name of the file.
        table: all ratings.
        report: what the reader found; see `ReadReport`.
        user_info, item_info: a row for each dense index, in that order, or None. Columns, each of them
            optional: age (years, nullable Int64), gender, occupation, zip_code (str) of users; title, genres
            (str, genres separated by ``|``), year (nullable Int64) and text (str) of items. Missing text is
            empty.
        splits: name of an official split -> row numbers, int64, of its training and its test part.
            The first is the default.
        scale_hint: the documented rating scale, or None.
        user_graph, item_graph: float32 sparse [n_users, n_users] and [n_items, n_items], or None.
        item_tags: function that reads users' tags and the tag genome, or None; returns by name, "tags" or
            "genome", float32 sparse [n_items, T], one column per tag; see `igmc.ratings.readers.tags`. Slow
            for large data.
        item_vectors: float32 [n_items, E], such as embeddings of descriptions, NaN where there is none; or
            None.
        implicit: whether the ratings, all of them 1, only tell that a user chose an item.

    Raises:
        DataError: if info, graph or vectors do not have as many rows as there are users or items.
    """

    name: str
    table: RatingTable
    report: ReadReport
    user_info: pd.DataFrame | None = None
    item_info: pd.DataFrame | None = None
    splits: Mapping[str, tuple[Rows, Rows]] = field(default_factory=dict)
    scale_hint: KnownScale | None = None
    user_graph: sparse.csr_array | None = None
    item_graph: sparse.csr_array | None = None
    item_tags: Callable[[], dict[str, sparse.csr_array]] | None = None
    item_vectors: NDArray[np.float32] | None = None
    implicit: bool = False

    def __post_init__(self) -> None:
        for side, size in (("user", len(self.table.users)), ("item", len(self.table.items))):
            for kind in ("info", "graph", "vectors"):
                value = getattr(self, f"{side}_{kind}", None)
                if value is not None and value.shape[0] != size:
                    raise DataError(
                        f"the {side} {kind} of {self.name} has the wrong number of rows",
                        got=value.shape[0],
                        allowed=str(size),
                    )

    def __repr__(self) -> str:
        table = self.table
        what = "interactions" if self.implicit else "ratings"
        sizes = f"{len(table):,} {what}, {len(table.users):,} users, {len(table.items):,} items"
        return f"Dataset({self.name!r}: {sizes})"

    @classmethod
    @checked_types
    def from_frame(
        cls,
        ratings: Frame,
        users: Frame | None = None,
        items: Frame | None = None,
        columns: Columns | None = None,
        *,
        name: str = "frame",
        duplicates: str = "last",
        implicit: bool = False,
        min_rating: float | None = None,
    ) -> Self:
        """Make a data set from a DataFrame of pandas, polars, pyarrow, DuckDB, ... with one row per rating.

        Ids may be of any hashable type and are returned unchanged. A rating is a finite number. A timestamp
        is a date, a datetime, an ISO string (UTC unless it names a time zone), or seconds since 1970.

        Args:
            ratings: with the columns user, item, rating and, if there is one, timestamp.
            users: a row for each user: its id, and one or more of age, gender, occupation and zip_code.
            items: a row for each item: its id, and one or more of title, genres (a list, or a text with ``|``
                between them), year and text. Unrated items are dropped.
            columns: the columns of the ratings, as ``{"user": "customer", "item": "sku"}``, or all of them in
                order; columns not named here are found by their usual names.
            name: of the data set, in reports and names of folders.
            duplicates: how to merge repeated (user, item) pairs: keep the "last" row, take the "mean", or
                raise an "error".
            implicit: the rows only tell who chose what, such as clicks or purchases: a column of ratings may
                be missing, and values in one are ignored; see `as_implicit`.
            min_rating: with `implicit`, drop lower ratings first.

        Raises:
            ConfigError: if something is not a table, or `columns` or `duplicates` is malformed.
            DataError: naming the row, on a missing id, a rating that is not finite, or a duplicate under
                "error"; if a column is missing, or ids are not hashable.
            MissingExtraError: if the table is of another library and pyarrow is not installed.

        >>> Dataset.from_frame({"user": ["ann", "bo", "bo"], "item": [1, 1, 2], "rating": [5, 3, 4]})
        Dataset('frame': 3 ratings, 2 users, 2 items)
        >>> Dataset.from_frame({"user": ["ann", "bo", "bo"], "item": [1, 1, 2]}, implicit=True)
        Dataset('frame': 3 interactions, 2 users, 2 items)
        """
        check_min_rating(min_rating, implicit=implicit)
        parts = read_frames(ratings, users, items, columns, duplicates, implicit)
        found = cls(name, parts.table, parts.report, user_info=parts.user_info, item_info=parts.item_info)
        return found.as_implicit(min_rating) if implicit else found

    def as_implicit(self, min_rating: float | None = None) -> Self:
        """The same data set without its ratings: that there is one only tells that a user chose an item.

        The report says which values are ignored, and how many ratings were dropped.

        Args:
            min_rating: drop lower ratings first; users and items that have no other stay, without any.

        Raises:
            DataError: if no rating is left, or there was none and `min_rating` asks for some.
        """
        table, rated = self.table, self.report.rated
        if min_rating is not None and not rated:
            raise DataError(
                f"{self.name} has no ratings to choose from",
                got=f"min_rating {min_rating:g}",
                remedy="omit --min-rating, or name the column of the ratings",
            )
        rows = np.flatnonzero(np.ones(len(table), bool) if min_rating is None else table.rating >= min_rating)
        if not len(rows):
            raise DataError(f"no rating of {self.name} is left", got=f"min_rating {min_rating}")
        rating, ones = table.rating[rows], np.ones(len(rows))
        notes = [note for note in self.report.notes if not note.startswith("ratings are ")]
        if min_rating is not None:
            notes.append(f"{len(table) - len(rows):,} ratings below {min_rating:g} dropped")
        if rated:
            notes.append(f"values of the ratings ignored ({spread(rating)})")
        if rated and (zeros := int((rating == 0).sum())) and not any("--zero-is-missing" in n for n in notes):
            notes.append(f"{zeros:,} of them are 0: if that means not chosen, omit them (--zero-is-missing)")
        times = None if table.timestamp is None else table.timestamp[rows]
        kept = RatingTable(table.users, table.items, table.user[rows], table.item[rows], ones, times)
        parts = {split: partial(_some_rows, self.splits, split, rows) for split in self.splits}
        report = replace(self.report, notes=tuple(notes), implicit=True)
        splits: Mapping[str, tuple[Rows, Rows]] = LazySplits(parts)
        return replace(self, table=kept, report=report, splits=splits, scale_hint=None, implicit=True)


def _some_rows(splits: Mapping[str, tuple[Rows, Rows]], name: str, kept: Rows) -> tuple[Rows, Rows]:
    """The parts of a split, as row numbers among those that are kept, int64, ascending."""
    train, test = (np.searchsorted(kept, np.intersect1d(part, kept)) for part in splits[name])
    return train.astype(np.int64), test.astype(np.int64)


class LazySplits(Mapping[str, tuple[Rows, Rows]]):
    """Official splits, read on first use, so that a damaged file affects only its own split."""

    def __init__(self, readers: Mapping[str, Callable[[], tuple[Rows, Rows]]]) -> None:
        self._readers = dict(readers)

    def __getitem__(self, name: str) -> tuple[Rows, Rows]:
        return self._readers[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)

    def __contains__(self, name: object) -> bool:
        return name in self._readers
