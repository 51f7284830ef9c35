"""The recommenders for people with data of their own: raw ids in, DataFrames out."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from igmc.argument_types import checked_types
from igmc.config import Config, merged
from igmc.errors import ConfigError, DataError
from igmc.inference import ItemInfo, near_ids
from igmc.ratings import (
    DataLike,
    Dataset,
    IdTable,
    RawId,
    build_split,
    data_config,
    divided,
    id_list,
    id_pairs,
    load_dataset,
)
from igmc.recommenders.base import Recommender
from igmc.recommenders.registry import RECOMMENDERS, recommender_class
from igmc.recommenders.training_data import TrainingData

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MODELS", "Model", "fit", "model_class"]

HELD_OUT = 0.1  # of the ratings, where there is something to choose by them
BLOCK = 256  # users whose scores are in memory at once

# Public name of the class -> name in the registry, as in "MF": "mf".
MODELS = {path.partition(":")[2].removesuffix("Recommender"): name for name, path in RECOMMENDERS.items()}


class Model:
    """A recommender that speaks of users and items by their own ids.

    Make one by its name, as in ``igmc.recommenders.MF(factors=16).fit(ratings)``.

    Args:
        seed: of everything random in it.
        **settings: as `igmc-evaluate --list-models` shows them; a data set that is known by name may bring
            others than the defaults.

    Attributes:
        name: in the registry.
        settings: those that were given.
        dataset: that it was fitted to; None before.
        recommender: what was fitted, which speaks of dense indices; None before.

    Raises:
        ConfigError: on a setting that is unknown or not allowed.
    """

    name: ClassVar[str]

    @checked_types
    def __init__(self, *, seed: int = 1, **settings: Any) -> None:
        recommender_class(self.name).config_class.from_dict(settings)
        self.seed, self.settings = seed, settings
        self.dataset: Dataset | None = None
        self.recommender: Recommender | None = None

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.settings.items())
        fitted = "" if self.dataset is None else f" fitted to {self.dataset.name}"
        return f"{type(self).__name__}({given}){fitted}"

    @checked_types
    def fit(
        self, data: DataLike, *, data_dir: str | Path | None = None, home: str | Path | None = None
    ) -> Self:
        """Learn from all ratings of a data set.

        Where there is something to choose, such as when to stop, it is chosen on a tenth of the ratings that
        is held out; then the model is fitted to all of them with what was chosen.

        Args:
            data: whatever `igmc.load_dataset` takes: a DataFrame, a name, a path, a Dataset, ...
            data_dir, home: where raw data are; see `igmc.load_dataset`.

        Returns:
            this model.

        Raises:
            IgmcError: if the data cannot be read or do not suit the model.
        """
        config = data_config(data)
        dataset = load_dataset(data, data_dir=data_dir, home=home)
        cls = recommender_class(self.name)
        settings = merged(cls.preset(dataset.name), cls.config_class.current(self.settings))
        model = cls(cls.config_class.from_dict(settings), seed=self.seed)
        rows, none = np.arange(len(dataset.table)), np.empty(0, np.int64)
        train, held_out = divided(rows, self.seed, HELD_OUT) if model.uses_validation else (rows, none)
        how: dict[str, Any] = {"levels": config.levels, "level_method": config.level_method}
        split = build_split(dataset, (train, held_out, none), name="all", seed=self.seed, **how)
        known = TrainingData.from_split(split, dataset)
        model.fit(known)
        self.recommender = model.refit(known) if len(held_out) else model
        self.dataset, self.scale, self.known = dataset, split.scale, known.merged().matrix()
        return self

    @checked_types
    def predict(
        self, users: RawId | Iterable[RawId], items: RawId | Iterable[RawId], *, clip: bool = True
    ) -> pd.DataFrame:
        """The ratings that P pairs are predicted to get; scores without a unit of a model that only ranks.

        Args:
            users, items: P raw ids each, or one id of either side for all of the other.
            clip: move predicted ratings beyond the ends of the scale to the nearer end.

        Returns:
            a row for each pair, in order: user_id, item_id and score (float32).

        Raises:
            DataError: on an id that the model does not know, sides of unequal length, or before `fit`.
        """
        import pandas as pd

        model, dataset = self._fitted()
        user_ids, item_ids = id_pairs(users, items)
        user = _encoded("user", dataset.table.users, user_ids)
        score = model.predict(user, _encoded("item", dataset.table.items, item_ids))
        score = self.scale.clip(score) if clip and not model.ranks_only else score
        return pd.DataFrame({"user_id": user_ids, "item_id": item_ids, "score": score})

    @checked_types
    def recommend(
        self, users: RawId | Iterable[RawId] | None = None, k: int = 10, *, rated: bool = False
    ) -> pd.DataFrame:
        """For each user the k items with the highest scores, of those that the user has not rated.

        Args:
            users: raw ids, or one; all users if None.
            k: length of each list; it is shorter where fewer items are left.
            rated: list what the user has rated too.

        Returns:
            a row for each item of each list, best first: user_id, item_id, score (float32, not clipped),
            rank (from 1); and title, genres and year where the data set tells them.

        Raises:
            ConfigError: on a length below 1.
            DataError: on a user that the model does not know, or before `fit`.
        """
        import pandas as pd

        model, dataset = self._fitted()
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise ConfigError("the length of a list is out of range", got=k, allowed="at least 1")
        asked = list(dataset.table.users.ids) if users is None else id_list(users)
        index = _encoded("user", dataset.table.users, asked)
        parts = [self._best(model, index[at : at + BLOCK], k, rated) for at in range(0, len(index), BLOCK)]
        row, item, score, rank = (
            np.concatenate([np.empty(0, dtype), *(part[n] for part in parts)])
            for n, dtype in enumerate((np.int64, np.int64, np.float32, np.int64))
        )
        row += np.repeat(np.arange(len(parts)) * BLOCK, [len(part[0]) for part in parts])
        frame = pd.DataFrame(
            {
                "user_id": pd.Series([asked[at] for at in row.tolist()], dtype=object),
                "item_id": pd.Series(dataset.table.items.decode(item), dtype=object),
                "score": score,
                "rank": rank,
            }
        )
        return frame if dataset.item_info is None else ItemInfo.of(dataset.item_info).beside(frame, item)

    def _best(
        self, model: Recommender, users: NDArray[np.int32], k: int, rated: bool
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
        """The lists of U users: the place of the user, the item, its score and rank, one after the other."""
        scores = model.scores(users).copy()
        if not rated:
            known = self.known[users]
            scores[np.repeat(np.arange(len(users)), np.diff(known.indptr)), known.indices] = -np.inf
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        best = np.take_along_axis(scores, order, axis=1)
        row, rank = np.nonzero(best > -np.inf)
        return row, order[row, rank], best[row, rank], rank + 1

    def _fitted(self) -> tuple[Recommender, Dataset]:
        if self.recommender is None or self.dataset is None:
            raise DataError(f"{type(self).__name__} has not been fitted", remedy="call fit(data) first")
        return self.recommender, self.dataset


def model_class(name: str) -> type[Model]:
    """The class of a recommender on raw ids.

    Args:
        name: in the registry; hyphens and any case are accepted.

    Raises:
        ConfigError: on an unknown name.
    """
    return _made(recommender_class(name))


@cache
def _made(inner: type[Recommender]) -> type[Model]:
    usual: Config = inner.config_class()
    settings = usual.to_dict()
    public = next(public for public, key in MODELS.items() if key == inner.name)
    made = type(public, (Model,), {"name": inner.name, "__doc__": inner.__doc__, "__module__": __package__})
    kinds = [inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=v) for key, v in settings.items()]
    seed = inspect.Parameter("seed", inspect.Parameter.KEYWORD_ONLY, default=1)
    made.__signature__ = inspect.Signature([*kinds, seed])  # type: ignore[attr-defined]
    return made


def fit(
    name: str,
    data: DataLike,
    *,
    seed: int = 1,
    data_dir: str | Path | None = None,
    home: str | Path | None = None,
    **settings: Any,
) -> Model:
    """A recommender fitted to all ratings of a data set.

    Args:
        name: such as "mf"; see `igmc-evaluate --list-models`.
        data: whatever `igmc.load_dataset` takes: a DataFrame, a name, a path, a Dataset, ...
        seed: of everything random in it.
        data_dir, home: where raw data are; see `igmc.load_dataset`.
        **settings: of the model.

    Raises:
        IgmcError: see `Model.fit`.
    """
    return model_class(name)(seed=seed, **settings).fit(data, data_dir=data_dir, home=home)


def _encoded(side: str, table: IdTable, raw: list[RawId]) -> NDArray[np.int32]:
    index = table.encode(raw)
    if (index < 0).any():
        unknown = raw[int(np.argmax(index < 0))]
        raise DataError(f"the model does not know this {side}", got=unknown, remedy=near_ids(table, unknown))
    return index
