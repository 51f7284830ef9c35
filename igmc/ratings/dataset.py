"""A data set: its ratings, what is known of its users and items, and its official splits."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from igmc.config import DataConfig
from igmc.errors import ConfigError, DataError
from igmc.ratings.scale import KnownScale
from igmc.ratings.table import RatingTable

if TYPE_CHECKING:
    import pandas as pd
    from scipy import sparse

__all__ = ["Dataset", "LazySplits", "ReadReport", "load_dataset"]

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class ReadReport:
    """What the reader of a data set met.

    Attributes:
        source: the file or folder, or how the data set was made.
        rows: ratings read, before duplicates were merged.
        blank_lines: lines without user, item and rating that were skipped.
        duplicates: ratings merged away because their (user, item) pair stands more than once.
        duplicate_rule: how they were merged, "last" (in the order of the file) or "mean".
        encoding: the encoding of the text, such as "utf-8" or "latin-1"; None if it was none.
    """

    source: str
    rows: int
    blank_lines: int = 0
    duplicates: int = 0
    duplicate_rule: str = "last"
    encoding: str | None = None

    def __str__(self) -> str:
        parts = [f"{self.rows} ratings read from {self.source}"]
        if self.encoding not in (None, "utf-8"):
            parts.append(f"text is {self.encoding}")
        if self.blank_lines:
            parts.append(f"{self.blank_lines} blank lines skipped")
        if self.duplicates:
            kept = {"last": "the last in the file kept", "mean": "ratings averaged"}[self.duplicate_rule]
            parts.append(f"{self.duplicates} duplicates of a (user, item) pair merged: {kept}")
        return "; ".join(parts)


@dataclass(frozen=True, eq=False)
class Dataset:
    """The ratings of a data set and what goes with them.

    Attributes:
        name: the canonical name, or the name of the file.
        table: all ratings.
        report: what the reader met.
        user_info, item_info: a row for each dense index, in that order, or None. Columns, each of them
            optional: age (years, nullable Int64), gender, occupation, zip_code (str) of users; title, genres
            (str, genres separated by ``|``) and year (nullable Int64) of items. Missing text is empty.
        splits: name of an official split -> row numbers, int64, of its training and its test part.
            The first is the default.
        scale_hint: what is stated about the ratings, or None.
        user_graph, item_graph: float32 sparse [n_users, n_users] and [n_items, n_items], or None.
        item_tags: reads what users or a tag genome say of the items, or None: by name, "tags" or "genome",
            float32 sparse [n_items, T], a column a tag; see `igmc.ratings.tags`. Slow for large data.

    Raises:
        DataError: if info or graph do not have as many rows as there are users or items.
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

    def __post_init__(self) -> None:
        for side, size in (("user", len(self.table.users)), ("item", len(self.table.items))):
            for kind in ("info", "graph"):
                value = getattr(self, f"{side}_{kind}")
                if value is not None and value.shape[0] != size:
                    raise DataError(
                        f"the {side} {kind} of {self.name} has the wrong number of rows",
                        got=value.shape[0],
                        allowed=str(size),
                    )

    def side_features(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Features of all users and of all items, built from info and graphs, never from ratings.

        Returns:
            float32 [n_users, F] and float32 [n_items, G]: numbers standardized to mean 0 and variance 1 (0
            where missing), one column for each gender, occupation and genre (0 or 1), and the rows of the
            side graph. A side of which nothing is known has width 0.

        Raises:
            DataError: if nothing is known of either side.
        """
        from igmc.ratings.features import side_features

        return side_features(self)


class LazySplits(Mapping[str, tuple[Rows, Rows]]):
    """Official splits that are read when asked for, so that a damaged file of one spoils no other."""

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


def load_dataset(
    config: DataConfig | str, *, data_dir: str | Path | None = None, home: str | Path | None = None
) -> Dataset:
    """Read a data set.

    Args:
        config: which one, and how to read it; a plain text stands for ``DataConfig(dataset=text)``.
            The data set is a name (``ml_100k``, also written ``ML-100K``), a folder in the layout of a
            MovieLens release or a Monti set, or a file of ratings (see below).
        data_dir: where the folders of raw data are; see `igmc.ratings.sources.locate`.
        home: where raw data are downloaded to if they are nowhere else.

    A file of ratings is CSV, TSV, any text with one of ``, ; | tab ::`` between its fields, or Parquet; also
    compressed (.gz, .bz2, .xz, .zip). A zip that holds one such file is read as it is; of a zip that holds
    several, name one as if the zip were a folder. ``columns`` says where user, item, rating and, if wanted,
    timestamp are, in this order: by the names in the header, or by positions from 1 if the file has no
    header. It can be left out if the header has the usual names (userId, movie_id, item, rating, ...).

    - ``columns="user_id,book_id,rating"``, ``dataset="goodbooks/ratings.zip"``: a header, items first
    - ``columns="1,2,3,4"``, ``dataset="u.data"``: no header
    - ``columns="2,1,3"``, ``dataset="dump.csv.gz"``: no header, items first
    - ``dataset="ml-20m.zip/ml-20m/ratings.csv"``: one file of a zip

    A rating is a finite number; true and false stand for 1 and 0. A timestamp is in seconds since 1970,
    unknown where it is empty, 0 or less. A line may lack fields at its end, but has no more than the first.
    Ids come back as given. A text column whose values all are plain whole numbers holds ints; with one
    ``01`` or ``x`` among them it holds texts, each as it stands in the file.

    Raises:
        ConfigError: on an unknown name or malformed `columns`.
        DataError: if files are missing or malformed; the message names the file and the line.
    """
    from igmc.ratings import readers, sources

    if isinstance(config, str):
        config = DataConfig(dataset=config)
    name = sources.canonical_name(config.dataset)
    if name is None:
        if readers.looks_like_path(config.dataset):
            return readers.read_path(Path(config.dataset).expanduser(), config)
        near = difflib.get_close_matches(config.dataset.lower().replace("-", "_"), sources.DATASETS, n=3)
        raise ConfigError(
            "unknown data set",
            got=config.dataset,
            allowed=", ".join(sources.DATASETS) + ", or the path of a file or folder",
            remedy=f"did you mean {' or '.join(near)}?" if near else "check the name or the path",
        )
    if config.columns is not None:
        raise ConfigError(
            f"--columns does not apply to {name}, whose layout is known",
            got=config.columns,
            remedy="leave --columns out, or give the path of a file as the data set",
        )
    if name == "demo":
        from igmc.ratings.synthetic import make_demo

        return make_demo()
    return readers.read_folder(sources.locate(name, data_dir=data_dir, home=home), name, config)
