"""Splits of ratings into training, validation and test parts."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from igmc.argument_types import checked_types
from igmc.config import DataConfig
from igmc.errors import ConfigError, DataError
from igmc.files import replacing, writing
from igmc.ratings.dataset import Dataset
from igmc.ratings.ids import IdTable
from igmc.ratings.load import DataLike, data_config, load_dataset
from igmc.ratings.scale import RatingScale
from igmc.ratings.table import Pairs, RatingTable
from igmc.rng import stream

__all__ = ["Split", "build_split", "divided", "make_split"]

logger = logging.getLogger(__name__)

Rows = NDArray[np.int64]
_PARTS = ("train", "validation", "test")
# A split without support is written as ever, so that files and digests made before there was any still hold.
_FORMATS = {"igmc split 1": _PARTS, "igmc split 2": (*_PARTS, "support")}


@dataclass(frozen=True, eq=False)
class Split:
    """Disjoint parts of the ratings of a data set; a rating may be in none of them.

    Attributes:
        table: all ratings.
        scale: the levels, fitted to the ratings of `train` and `validation` and to what is stated about
            the data set, never to `test` or `support`.
        train, validation, test: int64, ascending row numbers of `table`; `train` is not empty.
        name: "random", the name of an official split, or the label of an evaluation protocol.
        seed: the seed of the draws.
        support: int64, ascending row numbers; the known ratings of users and items that are new at test time.
            They are available when test pairs are predicted, but never used for training or selection.

    Raises:
        DataError: on a row that is out of range or in two parts, or on an empty training part.
    """

    table: RatingTable
    scale: RatingScale
    train: Rows
    validation: Rows
    test: Rows
    name: str
    seed: int
    support: Rows = field(default_factory=lambda: np.empty(0, np.int64))

    def __post_init__(self) -> None:
        uses = np.zeros(len(self.table), dtype=np.int64)
        for part in (*_PARTS, "support"):
            rows = np.array(getattr(self, part), dtype=np.int64)
            if rows.ndim != 1 or (rows.size and (rows.min() < 0 or rows.max() >= len(uses))):
                raise DataError(f"a row of the {part} part is out of range", allowed=f"0..{len(uses) - 1}")
            np.add.at(uses, rows, 1)
            rows.sort()
            rows.flags.writeable = False
            object.__setattr__(self, part, rows)
        if np.any(uses > 1):
            row = int(np.argmax(uses > 1))
            raise DataError("a rating is in the parts of a split twice", got=f"row {row}", allowed="once")
        if not self.train.size:
            raise DataError(
                "the training part is empty",
                remedy="lower --test-ratio or --validation-ratio, or add ratings",
            )

    def __repr__(self) -> str:
        parts = (f"{len(getattr(self, part)):,} {part}" for part in _FORMATS[self._format])
        return f"Split({self.name!r}, seed {self.seed}: {', '.join(parts)})"

    def pairs(self, rows: Rows) -> Pairs:
        """The pairs that stand in rows of the table, int64 [P], in that order."""
        table, times = self.table, None if self.table.timestamp is None else self.table.timestamp[rows]
        return Pairs(table.user[rows], table.item[rows], table.rating[rows].astype(np.float32), times)

    def digest(self) -> str:
        """SHA-256 of all ids, ratings, levels, rows, the name and the seed, 64 hex digits."""
        head = [self.table.digest(), self.scale.to_dict(), self.name, self.seed, len(self.train)]
        head += [len(self.validation), len(self.test)] if self.support.size else [len(self.validation)]
        sha = hashlib.sha256(json.dumps(head).encode())
        for part in _FORMATS[self._format]:
            sha.update(getattr(self, part).data)
        return sha.hexdigest()

    @property
    def _format(self) -> str:
        return "igmc split 2" if self.support.size else "igmc split 1"

    def save(self, path: Path) -> None:
        """Write the split with its ratings to one ``.npz`` file, atomically.

        Raises:
            IgmcError: if the file cannot be written.
        """
        table = self.table
        arrays: dict[str, NDArray[Any]] = {
            "head": _text(
                json.dumps(
                    {
                        "format": self._format,
                        "digest": self.digest(),
                        "scale": self.scale.to_dict(),
                        "name": self.name,
                        "seed": self.seed,
                    }
                )
            ),
            "users": _text(table.users.to_json()),
            "items": _text(table.items.to_json()),
            "user": table.user,
            "item": table.item,
            "rating": table.rating,
            **{part: getattr(self, part) for part in _FORMATS[self._format]},
        }
        if table.timestamp is not None:
            arrays["timestamp"] = table.timestamp
        path = Path(path)
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            np.savez(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> Split:
        """Read what `save` wrote, and check it against its digest.

        Raises:
            DataError: if the file is missing, damaged or not a split.
        """
        remedy = (
            "make it again: of a run by igmc-train, once metrics.json is deleted, else by igmc data split"
        )
        try:
            with np.load(Path(path), allow_pickle=False) as file:
                split, digest = _unpack({key: file[key] for key in file.files})
        except FileNotFoundError as error:
            raise DataError(f"there is no split at {path}", remedy=remedy) from error
        except Exception as error:  # a damaged archive makes zipfile, zlib and NumPy raise nearly anything
            raise DataError(f"{path} is damaged or not a split ({error})", remedy=remedy) from error
        if split.digest() != digest:
            raise DataError(f"{path} does not match its digest", got=split.digest(), remedy=remedy)
        return split


@checked_types
def make_split(
    dataset: DataLike, config: DataConfig | Mapping[str, Any] | None = None, seed: int = 1
) -> Split:
    """Divide the ratings of a data set.

    ``config.split`` is "random" (``test_ratio`` of the ratings are the test part), the name of an official
    split, or "default": the first official split if there is one (u1 for ml_100k), else "random".
    ``validation_ratio`` of the training part is set aside for validation. ``keep_ratio`` then thins both: a
    lower ratio keeps a subset of a higher one. The test part is not thinned.

    Args:
        dataset: as `igmc.ratings.load.load_dataset` takes it.
        config: how to split, or a mapping of settings; if None, those in `dataset`, or the defaults.
        seed: of the draws.

    Raises:
        ConfigError: on what is not a data set, or has no such split.
        DataError: if no rating is left for training, or the ratings do not make a scale.
    """
    config = data_config(dataset if config is None else config)
    dataset, name = load_dataset(dataset), config.split
    if name == "default":
        name = next(iter(dataset.splits), "random")
    if name == "random":
        order = stream(seed, "split", "test").permutation(len(dataset.table)).astype(np.int64)
        n_test = round(config.test_ratio * len(order))
        training, test = order[n_test:], order[:n_test]
    elif name in dataset.splits:
        training, test = dataset.splits[name]
    else:
        raise ConfigError(
            f"{dataset.name} has no such split",
            got=name,
            allowed=", ".join(["default", "random", *dataset.splits]),
        )
    train, validation = divided(training, seed, config.validation_ratio, config.keep_ratio)
    return build_split(
        dataset,
        (train, validation, test),
        name=name,
        seed=seed,
        levels=config.levels,
        level_method=config.level_method,
    )


def divided(training: Rows, seed: int, validation_ratio: float, keep_ratio: float = 1.0) -> tuple[Rows, Rows]:
    """Set a share of the training rows aside for validation, then thin both.

    Args:
        training: int64, row numbers in any order; it does not matter which.
        seed: of the draw.
        validation_ratio: the share of `training` for validation, 0..1.
        keep_ratio: the share of both that is kept, 0..1, rounded up; a lower one keeps a subset of what a
            higher one keeps.

    Returns:
        The rows for training and those for validation, int64, in the order drawn.
    """
    # From ascending rows, so that the parts do not depend on how the official files are ordered.
    order = stream(seed, "split", "validation").permutation(np.sort(training))
    n_validation = round(validation_ratio * len(order))
    validation, train = (
        part[: int(np.ceil(keep_ratio * len(part)))] for part in (order[:n_validation], order[n_validation:])
    )
    return train, validation


def build_split(
    dataset: Dataset,
    parts: tuple[Rows, Rows, Rows],
    *,
    name: str,
    seed: int,
    support: Rows | None = None,
    levels: int | None = None,
    level_method: str = "width",
) -> Split:
    """A split with the scale fitted to its training and validation part.

    Args:
        dataset: what is split.
        parts: int64 row numbers of training, validation and test.
        name, seed: as in `Split`.
        support: int64 row numbers, as in `Split`; none if not given.
        levels, level_method: how ratings are grouped, as in `igmc.config.DataConfig`.

    Raises:
        DataError: as `Split` and `RatingScale.fit` do.
    """
    train, validation, test = parts
    scale = RatingScale.fit(
        dataset.table.rating[np.concatenate([train, validation])],
        levels=levels,
        method=level_method,
        known=dataset.scale_hint,
    )
    support = np.empty(0, np.int64) if support is None else support
    split = Split(dataset.table, scale, train, validation, test, name, seed, support)
    _report(split)
    return split


def _report(split: Split) -> None:
    table, known = split.table, np.concatenate([split.train, split.validation])
    logger.info(
        "split %s: %d ratings for training, %d for validation, %d for the test",
        split.name,
        len(split.train),
        len(split.validation),
        len(split.test),
    )
    if split.support.size:
        logger.info("%d more are known only at test time", len(split.support))
    strange = [np.setdiff1d(side[split.test], side[known]).size for side in (table.user, table.item)]
    if any(strange):
        logger.info("%d users and %d items occur only in the test part", *strange)
    if split.scale.continuous:
        return
    absent = np.setdiff1d(np.arange(len(split.scale)), split.scale.encode(table.rating[split.train]))
    if absent.size:
        values = ", ".join(f"{value:g}" for value in split.scale.values[absent])
        logger.warning("no rating of the training part has the level %s", values)


def _unpack(arrays: dict[str, NDArray[Any]]) -> tuple[Split, str]:
    head = json.loads(arrays["head"].tobytes())
    if head["format"] not in _FORMATS:
        raise ValueError(f"its format is {head['format']!r}, not {' or '.join(map(repr, _FORMATS))}")
    users, items = (IdTable.from_json(arrays[side].tobytes().decode()) for side in ("users", "items"))
    columns = arrays["user"], arrays["item"], arrays["rating"], arrays.get("timestamp")
    table = RatingTable(users, items, *columns)
    parts = {part: arrays[part] for part in _FORMATS[head["format"]]}
    scale = RatingScale.from_dict(head["scale"])
    return Split(table, scale, name=head["name"], seed=head["seed"], **parts), head["digest"]


def _text(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8)
