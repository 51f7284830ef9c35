"""What a recommender may learn from: the ratings known in training, and what is known of users and items."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from igmc.errors import DataError
from igmc.ratings import UNKNOWN_TIME, RatingScale, RatingTable, SideInformation, side_information
from igmc.short_repr import short_repr

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from igmc.ratings import Dataset, Split

__all__ = ["Ratings", "TrainingData"]


@dataclass(frozen=True, eq=False)
class Ratings:
    """n known ratings, each of another (user, item) pair.

    Attributes:
        user, item: int32 [n], dense indices.
        rating: float32 [n].
        timestamp: int64 [n], seconds since 1970 (UTC), -1 where unknown.
    """

    __repr__ = short_repr

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    rating: NDArray[np.float32]
    timestamp: NDArray[np.int64]

    @classmethod
    def of(cls, table: RatingTable, rows: NDArray[np.int64]) -> Ratings:
        """The ratings in rows of a table, int64 [n], in that order."""
        times = np.full(len(rows), UNKNOWN_TIME) if table.timestamp is None else table.timestamp[rows]
        return cls(table.user[rows], table.item[rows], table.rating[rows].astype(np.float32), times)

    def __len__(self) -> int:
        return len(self.user)

    def __add__(self, other: Ratings) -> Ratings:
        """Both, these first."""
        names = ("user", "item", "rating", "timestamp")
        return Ratings(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in names))

    def columns(self) -> dict[str, NDArray[Any]]:
        """The four arrays by name, as a fitted model keeps them; ``Ratings(**columns)`` is the way back."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def matrix(self, n_users: int, n_items: int) -> sparse.csr_array:
        """float32 [n_users, n_items], indices sorted; a rating of 0 is stored like any other."""
        matrix = sparse.csr_array((self.rating, (self.user, self.item)), shape=(n_users, n_items))
        matrix.sort_indices()
        return matrix


@dataclass(frozen=True, eq=False)
class TrainingData:
    """All that a recommender sees when it is fitted. There is no test rating in it.

    Attributes:
        train: the ratings to learn from; at least one.
        validation: the ratings to stop and choose by; may be empty.
        n_users, n_items: sizes of both sides, those without any known rating included.
        scale: the levels of the ratings.
        user_info, item_info: a row for each dense index, as in `igmc.ratings.dataset.Dataset`, or None.
        item_tags, item_vectors: as in `Dataset`.

    Raises:
        DataError: if there is no training rating.
    """

    __repr__ = short_repr

    train: Ratings
    validation: Ratings
    n_users: int
    n_items: int
    scale: RatingScale
    user_info: pd.DataFrame | None = None
    item_info: pd.DataFrame | None = None
    item_tags: Callable[[], dict[str, sparse.csr_array]] | None = None
    item_vectors: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if not len(self.train):
            raise DataError("there are no training ratings")

    @classmethod
    def from_split(cls, split: Split, dataset: Dataset | None = None) -> TrainingData:
        """The training and validation part of a split, with the side information of the data set it is of."""
        return cls(
            train=Ratings.of(split.table, split.train),
            validation=Ratings.of(split.table, split.validation),
            n_users=len(split.table.users),
            n_items=len(split.table.items),
            scale=split.scale,
            user_info=None if dataset is None else dataset.user_info,
            item_info=None if dataset is None else dataset.item_info,
            item_tags=None if dataset is None else dataset.item_tags,
            item_vectors=None if dataset is None else dataset.item_vectors,
        )

    def side_information(self) -> SideInformation:
        """What is known of users and items besides their ratings, as features.

        Raises:
            DataError: if nothing is.
        """
        return side_information(
            self.user_info, self.item_info, self.n_users, self.n_items, item_vectors=self.item_vectors
        )

    def require_levels(self, model: str, *, ranks: bool) -> None:
        """Raise a DataError if all ratings are equal, so that there is nothing to predict.

        Args:
            model: its name; ranks: whether it can be trained to rank instead.
        """
        if len(self.scale) == 1:
            which = f"{model}:objective=ranking" if ranks else "such as ease, ranker or lightgcn"
            raise DataError(
                f"{model} predicts ratings, and all of them are {self.scale.low:g}",
                remedy=f"read clicks or purchases with --implicit, and use a model that ranks: {which}",
            )

    def merged(self) -> TrainingData:
        """The same with the validation ratings among the training ratings."""
        return replace(
            self, train=self.train + self.validation, validation=Ratings(*_nothing(), np.empty(0, np.int64))
        )

    def matrix(self) -> sparse.csr_array:
        """The training ratings, float32 [n_users, n_items]."""
        return self.train.matrix(self.n_users, self.n_items)


def _nothing() -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    return np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32)
