"""The one interface of all recommenders: fit on known ratings, then rate pairs or rank items."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.config import COVERAGE, Config
from igmc.errors import CheckpointError, ConfigError, DataError
from igmc.progress import step
from igmc.ratings import dense_indices
from igmc.recommenders.packing import packed, unpacked
from igmc.recommenders.search_space import OneOf, Range
from igmc.recommenders.training_data import Ratings, TrainingData
from igmc.training import load_checkpoint, save_checkpoint

__all__ = ["Monitor", "NoSettings", "Recommender"]

Floats = NDArray[np.float32]
Indices = NDArray[np.int32]
Monitor = Callable[[Mapping[str, float]], None]  # called after each epoch with its record; may raise to stop


@dataclass(frozen=True)
class NoSettings(Config):
    """The configuration of a recommender that has nothing to set."""


class Recommender(ABC):
    """A model that rates (user, item) pairs and ranks items for users.

    A new one is a module with a subclass, a line in `igmc.recommenders.registry`, and a subclass of the
    contract in ``tests/recommenders/contract.py``. A subclass says what it learns in `_fit`, what it predicts
    in `_predict`, and in `fitted` which attributes hold what was learned; saving and checks are done here.

    Args:
        config: its settings, of `config_class`; the defaults if None.
        seed: of everything random in it.

    Attributes:
        name: in the registry and in reports.
        config_class: the class of its settings.
        fitted: names of the attributes that `_fit` sets: NumPy arrays, SciPy CSR arrays, tensors, plain
            values, or dicts of these.
        added: those of them that models saved by earlier versions lack; None then.
        inductive: whether `fold_in` can take ratings of users and items not seen in training.
        history: a record for each epoch of training: ``epoch``, ``loss`` and, where there is a validation
            part, what was measured on it; empty for models without epochs. A model that `igmc.evaluate`
            refitted has the history of the fit that chose its epochs.
        n_users, n_items: sizes of both sides, once fitted.
    """

    name: ClassVar[str]
    config_class: ClassVar[type[Config]] = NoSettings
    fitted: ClassVar[tuple[str, ...]] = ()
    added: ClassVar[tuple[str, ...]] = ()
    inductive: ClassVar[bool] = False

    def __init__(self, config: Config | None = None, *, seed: int = 1) -> None:
        if config is not None and not isinstance(config, self.config_class):
            raise ConfigError(
                f"{self.name} got settings of the wrong class",
                got=type(config).__name__,
                allowed=self.config_class.__name__,
            )
        self.config: Any = config if config is not None else self.config_class()
        self.seed = seed
        self.history: list[dict[str, float]] = []
        self.n_users = self.n_items = 0

    def __repr__(self) -> str:
        fitted = f" fitted to {self.n_users:,} users and {self.n_items:,} items" if self.n_items else ""
        return f"{type(self).__name__}({self.config!r}){fitted}"

    @property
    def ranks_only(self) -> bool:
        """Whether its scores order items but are no ratings; so it is with models trained to rank."""
        return False

    @property
    def uses_validation(self) -> bool:
        """Whether the validation ratings decide anything; if not, `fit` does not look at them."""
        return False

    @classmethod
    def preset(cls, dataset: str) -> dict[str, Any]:
        """The settings for a data set where they differ from the defaults."""
        return {}

    def search_space(self) -> dict[str, Range | OneOf]:
        """What ``igmc tune`` varies, by setting, under the settings given; ``a.b`` is b in section a."""
        return {}

    def chosen_config(self) -> Config:
        """The settings, with what was chosen by the validation ratings filled in, such as the epochs."""
        config: Config = self.config
        return config

    def fit(self, data: TrainingData, *, monitor: Monitor | None = None) -> Self:
        """Learn from the training ratings; stop and choose by the validation ratings if there are any.

        Equal data, settings and seed give an equal model.

        Args:
            data: the ratings known.
            monitor: called after each epoch with its record; what it raises ends the training.

        Raises:
            IgmcError: if the data do not suit the model or training fails.
        """
        if not self.ranks_only:
            data.require_levels(self.name, ranks="objective" in self.config_class.__dataclass_fields__)
        self.n_users, self.n_items, self.history = data.n_users, data.n_items, []

        def told(record: Mapping[str, float]) -> None:
            step(f"epoch {record['epoch']:.0f}")
            if monitor is not None:
                monitor(record)

        self._fit(data, told)
        return self

    def refit(self, data: TrainingData, *, monitor: Monitor | None = None) -> Self:
        """Another one, of the `chosen_config`, fitted to training and validation ratings together.

        Args:
            data: what this one was fitted to.
            monitor: as in `fit`.
        """
        return type(self)(self.chosen_config(), seed=self.seed).fit(data.merged(), monitor=monitor)

    def predict(self, user: ArrayLike, item: ArrayLike, time: NDArray[np.int64] | None = None) -> Floats:
        """Ratings of P pairs, float32 [P], finite and not clipped; scores without a unit if `ranks_only`.

        A user or item without known ratings gets what the model can say without them; each model states what.

        Args:
            user, item: int [P], dense indices.
            time: int64 [P], when they are asked, in seconds since 1970, -1 for at no time in particular; just
                after the newest rating known if None. It counts for models that read dates.

        Raises:
            DataError: on an index out of range, or if the model has not been fitted.
        """
        users, items = self._indices("user", user, self.n_users), self._indices("item", item, self.n_items)
        if users.shape != items.shape:
            raise DataError("users and items differ in number", got=users.shape, allowed=str(items.shape))
        return np.asarray(self._predict_at(users, items, time), np.float32)

    def predict_with_bounds(
        self,
        user: ArrayLike,
        item: ArrayLike,
        time: NDArray[np.int64] | None = None,
        *,
        coverage: float = COVERAGE,
    ) -> tuple[Floats, Floats | None]:
        """As `predict`, with the bounds of an interval around each, for models that tell some.

        Args:
            user, item, time: as in `predict`.
            coverage: the probability that a rating lies within.

        Returns:
            float32 [P], the ratings; and float32 [2, P], low and high, not clipped, or None.
        """
        return self.predict(user, item, time), None

    def scores(self, users: ArrayLike) -> Floats:
        """Scores of all items for some users, float32 [U, n_items]; higher is better. Seen items too.

        Args:
            users: int [U], dense indices.

        Raises:
            DataError: as `predict`.
        """
        return np.asarray(self._scores(self._indices("user", users, self.n_users)), np.float32)

    def fold_in(self, support: Ratings) -> Self:
        """A model that knows these ratings too, without training; this one stays as it is.

        Args:
            support: ratings of pairs that were not in training, such as the first ratings of new users.

        Raises:
            ConfigError: if the model is not `inductive`.
        """
        if not self.inductive:
            raise ConfigError(
                f"{self.name} cannot take new ratings without training again",
                remedy="fit it on all ratings, or use a recommender that is inductive",
            )
        folded = copy.copy(self)
        folded._fold_in(support)
        return folded

    def save(self, path: str | Path) -> None:
        """Write the fitted model to one checksummed file, atomically.

        Raises:
            CheckpointError: if an attribute named in `fitted` is of a type that a file cannot hold.
            IgmcError: if it cannot be written.
        """
        state = {
            "recommender": self.name,
            "config": self.config.to_dict(),
            "seed": self.seed,
            "n_users": self.n_users,
            "n_items": self.n_items,
            "history": self.history,
            "fitted": {name: packed(getattr(self, name), f"{self.name}.{name}") for name in self.fitted},
        }
        save_checkpoint(Path(path), state)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote; `igmc.recommenders.registry.load_recommender` does so for any class.

        Raises:
            CheckpointError: if the file is missing, damaged, of another recommender or of another version.
        """
        state = load_checkpoint(Path(path))
        if state.get("recommender") != cls.name:
            raise CheckpointError(
                f"{path} holds a different recommender", got=state.get("recommender"), allowed=cls.name
            )
        model = cls(cls.config_class.from_dict(state["config"]), seed=state["seed"])
        model.n_users, model.n_items = state["n_users"], state["n_items"]
        model.history = state["history"]
        state["fitted"] = dict.fromkeys(cls.added) | state["fitted"]
        if state["fitted"].keys() != set(cls.fitted):
            raise CheckpointError(
                f"{path} was written by another version of igmc", remedy="fit the model and save it again"
            )
        for name in cls.fitted:
            setattr(model, name, unpacked(state["fitted"][name]))
        model._restore()
        return model

    @abstractmethod
    def _fit(self, data: TrainingData, monitor: Monitor | None) -> None: ...

    @abstractmethod
    def _predict(self, user: Indices, item: Indices) -> Floats: ...

    def _predict_at(self, user: Indices, item: Indices, time: NDArray[np.int64] | None) -> Floats:
        """By `_predict`; models that read dates override it."""
        return self._predict(user, item)

    def _scores(self, users: Indices) -> Floats:
        """By `_predict`, a user at a time; models that know better override it."""
        items = np.arange(self.n_items, dtype=np.int32)
        rows = [self._predict(np.full(self.n_items, user, np.int32), items) for user in users]
        return np.stack(rows) if rows else np.empty((0, self.n_items), np.float32)

    def _fold_in(self, support: Ratings) -> None:
        """Take ratings into what was learned; must replace attributes, not change them in place."""
        raise NotImplementedError(f"{type(self).__name__} is inductive, so it must define _fold_in")

    def _restore(self) -> None:  # noqa: B027 - most models have nothing to do here
        """Make anew, after loading, what follows from the `fitted` attributes."""

    def _indices(self, name: str, values: ArrayLike, size: int) -> Indices:
        if not self.n_items:
            raise DataError(f"{self.name} has not been fitted", remedy="call fit first")
        return dense_indices(name, values, size)
