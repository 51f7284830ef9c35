"""What is known of users and items besides their ratings, as numbers that a factorization can read.

Each column of an info table becomes a block of features. A number (age, year) becomes the weights of the two
knots that it lies between, so that effects are broken lines; words (gender, occupation, genres) become 0 or 1
each; texts become `WordVectors`; vectors stay, except for a scale. All blocks are moved to mean 0 and are 0
for those of whom a table says nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from igmc.errors import DataError
from igmc.ratings.word_vectors import WordVectors

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RowFeatures", "SideEncoder", "SideInformation", "side_information"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
Block = dict[str, Any]

NUMBERS, WORDS, TEXTS = ("age", "year"), ("gender", "occupation", "genres"), ("title", "text")
KNOTS = 6
FEW = 8  # distinct numbers of which each is a knot
LEAST_ROWS = 2  # that have a word
_YEAR = re.compile(r"\(\d{4}[^)]*\)\s*$")


class RowFeatures(NamedTuple):
    """The features of n users or items.

    Attributes:
        values: float32 [n, F]; F may be 0.
        block: int64 [F], 0, 1, ..., ascending: features of one kind, such as genres or years.
        made_of: what each block is made of, see `SideEncoder.blocks`.
    """

    values: Floats
    block: NDArray[np.int64]
    made_of: tuple[Block, ...] = ()

    def tell_of(self, index: NDArray[np.integer]) -> Mask:
        """Of which rows something is known, bool [P]; of those out of range nothing is."""
        told = np.append(self.values.any(axis=1), False)
        found: Mask = told[np.where((index >= 0) & (index < len(self.values)), index, -1)]
        return found


class SideInformation(NamedTuple):
    """The features of all users and of all items of a data set."""

    users: RowFeatures
    items: RowFeatures

    def state(self) -> dict[str, Any]:
        """Plain types and arrays; `from_state` is the way back."""
        return {
            name: {"values": side.values, "block": side.block, "made_of": list(side.made_of)}
            for name, side in zip(self._fields, self, strict=True)
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """What `state` gave."""
        sides = (state[name] for name in cls._fields)
        return cls(*(RowFeatures(s["values"], s["block"], tuple(s["made_of"])) for s in sides))


@dataclass(frozen=True, eq=False)
class SideEncoder:
    """What makes features of users, or of items; also of such as come later. Make one with `fit`.

    Attributes:
        blocks: what each is made of, in plain types and arrays: its ``kind`` ("numbers", "words", "texts" or
            "vectors"), the ``column`` of the table, the ``center`` (float32 [F_b]), and by kind ``knots``,
            ``words``, the state of `WordVectors`, or ``scale``.
    """

    blocks: tuple[Block, ...] = ()

    @classmethod
    def fit(cls, info: pd.DataFrame | None, vectors: Floats | None = None) -> Self:
        """The encoder of a side.

        Args:
            info: n rows, as in `igmc.ratings.dataset.Dataset`; None if there is no table.
            vectors: float32 [n, E], such as embeddings of texts or pictures; NaN where there is none.
        """
        blocks: list[Block] = []
        if info is not None:
            blocks += [_numbers(name, info) for name in NUMBERS if name in info]
            blocks += [_words(name, info) for name in WORDS if name in info]
            if any(name in info for name in TEXTS):
                blocks.append({"kind": "texts", "column": "text", **WordVectors.fit(_texts(info)).state()})
        if vectors is not None:
            length = np.sqrt(np.nanmean(np.sum(np.square(vectors, dtype=np.float64), axis=1)))
            blocks.append({"kind": "vectors", "column": "", "scale": 1.0 / max(float(length), 1e-12)})
        for block in blocks:
            raw, known = _read(block, info, vectors)
            block["center"] = (raw[known].sum(axis=0) / max(np.count_nonzero(known), 1)).astype(np.float32)
        return cls(tuple(block for block in blocks if len(block["center"])))

    def encode(self, info: pd.DataFrame | None, n: int, vectors: Floats | None = None) -> RowFeatures:
        """The features of n rows; a column that the table lacks is not known of any.

        Raises:
            DataError: if the vectors are of another width than those of the fit.
        """
        made = [np.zeros((n, 0), np.float32)]
        for block in self.blocks:
            values = np.zeros((n, len(block["center"])), np.float32)
            if _is_there(block, info, vectors):
                raw, known = _read(block, info, vectors)
                if raw.shape[1] != values.shape[1]:
                    raise DataError(
                        "the vectors of the items have another width than in training",
                        got=raw.shape[1],
                        allowed=str(values.shape[1]),
                    )
                values[known] = raw[known] - block["center"]
            made.append(values)
        block_of = np.repeat(np.arange(len(self.blocks)), [part.shape[1] for part in made[1:]])
        return RowFeatures(np.concatenate(made, axis=1), block_of, self.blocks)


def side_information(
    user_info: pd.DataFrame | None,
    item_info: pd.DataFrame | None,
    n_users: int,
    n_items: int,
    *,
    item_vectors: Floats | None = None,
) -> SideInformation:
    """The features of all users and items of a data set, from what is told of them, never from ratings.

    Args:
        user_info, item_info, item_vectors: as in `igmc.ratings.dataset.Dataset`.
        n_users, n_items: their numbers.

    Raises:
        DataError: if nothing is known of either side.
    """
    found = SideInformation(
        SideEncoder.fit(user_info).encode(user_info, n_users),
        SideEncoder.fit(item_info, item_vectors).encode(item_info, n_items, item_vectors),
    )
    if not any(len(side.block) for side in found):
        raise DataError(
            "the data set has no side features",
            allowed="age, gender, occupation of users; year, genres, title, text or vectors of items",
            remedy="train without --side-features, or give --item-info or --item-features",
        )
    return found


def _is_there(block: Block, info: pd.DataFrame | None, vectors: Floats | None) -> bool:
    if block["kind"] == "vectors":
        return vectors is not None
    names = TEXTS if block["kind"] == "texts" else (block["column"],)
    return info is not None and any(name in info for name in names)


def _read(block: Block, info: Any, vectors: Any) -> tuple[Floats, Mask]:
    """A block before it is centred, float32 [n, F_b], and of which rows something is known, bool [n]."""
    kind = block["kind"]
    if kind == "vectors":
        return vectors * np.float32(block["scale"]), np.isfinite(vectors).all(axis=1)
    if kind == "texts":
        texts = _texts(info)
        vectors = WordVectors(block["words"], block["weight"], block["axes"])
        return vectors.encode(texts), np.array([bool(text) for text in texts], np.bool_)
    column = info[block["column"]]
    if kind == "numbers":
        numbers, knots = column.to_numpy(dtype=np.float64, na_value=np.nan), block["knots"]
        known = np.isfinite(numbers)
        weights = [np.interp(np.where(known, numbers, knots[0]), knots, row) for row in np.eye(len(knots))]
        return np.stack(weights, axis=1).astype(np.float32), known
    cells = _cells(column)
    place = {word: at for at, word in enumerate(block["words"])}
    flags = np.zeros((len(cells), len(place)), np.float32)
    for row, words in enumerate(cells):
        flags[row, [place[word] for word in words if word in place]] = 1.0
    known = flags.sum(axis=1) > 0
    return flags, known


def _numbers(name: str, info: pd.DataFrame) -> Block:
    numbers = info[name].dropna().to_numpy(np.float64)
    knots = np.unique(numbers)
    if len(knots) > FEW:
        knots = np.unique(np.quantile(numbers, np.linspace(0.0, 1.0, KNOTS)))
    return {"kind": "numbers", "column": name, "knots": knots if len(knots) else np.zeros(1)}


def _words(name: str, info: pd.DataFrame) -> Block:
    count = Counter(word for words in _cells(info[name]) for word in words)
    return {
        "kind": "words",
        "column": name,
        "words": sorted(word for word, rows in count.items() if rows >= LEAST_ROWS),
    }


def _cells(column: pd.Series) -> list[set[str]]:
    return [set(str(cell).split("|")) - {""} for cell in column.fillna("").tolist()]


def _texts(info: pd.DataFrame) -> list[str]:
    """Title, without its year, and text of each row."""
    columns = [info[name].fillna("").astype(str).tolist() for name in TEXTS if name in info]
    return [" ".join(_YEAR.sub("", part) for part in parts).strip() for parts in zip(*columns, strict=True)]
