"""The settings of the data: which ratings, how they are read, and how they are split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from igmc.config.base import Config, Former, knob

__all__ = ["MAX_LEVELS", "DataConfig"]

MAX_LEVELS = 256  # relation types are stored as uint8


@dataclass(frozen=True)
class DataConfig(Config):
    """Which ratings, and how they are split."""

    dataset: str = knob("demo", "name of a data set, or path to a file of ratings")
    columns: str | None = knob(
        None, "names, or positions from 1, of the columns of a file: user,item,rating[,timestamp]"
    )
    separator: str | None = knob(
        None,
        "field separator of a text file: one or more characters, 'tab' or 'blanks'; guessed if not set",
        late=True,
    )
    encoding: str | None = knob(
        None, "encoding of a text file, such as cp1252 or shift_jis; guessed if not set", late=True
    )
    header: bool | None = knob(
        None, "whether the first line of a text file names the columns; guessed if not set", late=True
    )
    matrix: bool = knob(
        False, "the file is a dense matrix: one line per user, one column per item", late=True
    )
    missing: float | None = knob(None, "number that means 'not rated', such as 99 in Jester", late=True)
    implicit: bool = knob(
        False,
        "the data only tell who chose what, such as clicks or purchases: a column of ratings may be missing, "
        "and the values in one are ignored",
        late=True,
    )
    min_rating: float | None = knob(None, "with --implicit: drop lower ratings first", late=True)
    zero_is_missing: bool = knob(False, "0 means 'not rated', as in exports of views or purchases", late=True)
    item_info: str | None = knob(
        None,
        "file with titles, genres and years of the items, to go with a file of ratings",
        late=True,
        former=Former("items", {}),
    )
    item_features: str | None = knob(
        None,
        "file of vectors of the items, such as embeddings: ids in its first column, numbers in the others; "
        "read with --side-features",
        late=True,
    )
    allow_changed: bool = knob(
        False, "accept a known data set whose number of ratings differs from the published one", late=True
    )
    duplicates: str = knob(
        "last",
        "which rating counts if a pair occurs twice: the last one, the mean, or none (an error)",
        choices=("last", "mean", "error"),
    )
    split: str = knob(
        "default", "'default', 'random', or an official split such as u1..u5, ua, ub (ml_100k) or monti"
    )
    test_ratio: float = knob(
        0.1, "fraction of ratings held out for testing by a random split", low=0.0, high=0.95
    )
    validation_ratio: float = knob(
        0.1, "fraction of training ratings held out for validation", low=0.0, high=0.95
    )
    keep_ratio: float = knob(
        1.0, "fraction of training ratings to keep (sparsity studies)", low=1e-6, high=1.0
    )
    levels: int | None = knob(
        None, "group ratings into this many levels (relation types)", low=1, high=MAX_LEVELS
    )
    level_method: str = knob(
        "width", "how --levels groups: equal-width bins or quantiles", choices=("width", "quantile")
    )

    def identity(self) -> dict[str, Any]:
        """See `Config.identity`; `allow_changed` permits, and changes no result."""
        return {name: value for name, value in super().identity().items() if name != "allow_changed"}
