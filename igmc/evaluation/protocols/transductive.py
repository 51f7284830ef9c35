"""Protocols that hold out ratings of users and items which training knows otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from igmc.config import knob
from igmc.errors import ConfigError
from igmc.evaluation.protocols.base import VALIDATION_RATIO, HeldOut, Protocol, Rows, known_times, placed
from igmc.ratings import Dataset, divided
from igmc.rng import stream

__all__ = [
    "GlobalTime",
    "LeaveLastOut",
    "Official",
    "RandomEdges",
    "Stratified",
    "Thinned",
    "ThreeShares",
    "parts_of",
]


@dataclass(frozen=True)
class Official(Protocol):
    """The test part of an official split; validation ratings are drawn from its training part.

    Without a threshold and at an equal seed these are the parts of `igmc.ratings.split.make_split`. `draw`
    raises a ConfigError if the data set has no such split.
    """

    name: ClassVar[str] = "official"

    split: str = knob("default", "which official split, such as u1 or monti; 'default' is the first")
    validation_ratio: float = knob(0.1, VALIDATION_RATIO, low=0.0, high=0.95)

    @property
    def description(self) -> str:
        return f"the test part of the data set's own split ({self.split})"

    def _held_out(self, dataset: Dataset, seed: int) -> HeldOut:
        training, test = _official_rows(dataset, self.split, self._eligible(dataset))
        return HeldOut(*divided(training, seed, self.validation_ratio), test)


@dataclass(frozen=True)
class RandomEdges(Protocol):
    """`test_ratio` of all ratings, drawn at random; validation ratings are drawn from the others.

    Without a threshold and at an equal seed these are the parts of `igmc.ratings.split.make_split`.
    """

    name: ClassVar[str] = "random_80_20"

    test_ratio: float = knob(0.2, "fraction of ratings for testing", low=0.0, high=0.95)
    validation_ratio: float = knob(0.1, VALIDATION_RATIO, low=0.0, high=0.95)

    @property
    def description(self) -> str:
        return f"{self.test_ratio:.0%} of all ratings, drawn at random"

    def _held_out(self, dataset: Dataset, seed: int) -> HeldOut:
        training, test = _random_rows(self._eligible(dataset), self.test_ratio, seed)
        return HeldOut(*divided(training, seed, self.validation_ratio), test)


@dataclass(frozen=True)
class Stratified(Protocol):
    """`test_ratio` of the ratings of each user, drawn at random; validation ratings from all the others.

    A user with n ratings keeps ``round((1 - test_ratio) * n)`` of them, half to even, as with
    ``python_stratified_split`` of Microsoft's recommenders. At a quarter, who has one or two keeps them all.
    """

    name: ClassVar[str] = "stratified_75_25"

    test_ratio: float = knob(0.25, "fraction of each user's ratings for testing", low=0.0, high=0.95)
    validation_ratio: float = knob(0.1, VALIDATION_RATIO, low=0.0, high=0.95)

    @property
    def description(self) -> str:
        return f"{self.test_ratio:.0%} of the ratings of each user, drawn at random"

    def _held_out(self, dataset: Dataset, seed: int) -> HeldOut:
        rows = stream(seed, "protocol", "stratified").permutation(self._eligible(dataset))
        place, size = placed(dataset.table.user[rows])
        tested = place >= np.rint((1 - self.test_ratio) * size)
        return HeldOut(*divided(rows[~tested], seed, self.validation_ratio), rows[tested])


@dataclass(frozen=True)
class ThreeShares(Protocol):
    """Shares of the ratings of each user, or of all, for test and validation; training keeps the rest.

    A share of n ratings is ``floor(share * n)``. Where that is less than one it is one, first for the test,
    then for validation, as long as training keeps one; this is the rule of RecBole.
    """

    name: ClassVar[str] = "random_8_1_1"

    refit: bool = knob(False, "refit the final model on training and validation ratings; RecBole does not")
    validation_share: float = knob(0.1, "fraction of ratings for validation", low=0.0, high=0.45)
    test_share: float = knob(0.1, "fraction of ratings for testing", low=0.0, high=0.45)
    per_user: bool = knob(True, "split the ratings of each user, as RecBole does, instead of all together")

    @property
    def description(self) -> str:
        shares = f"{self.test_share:.0%} of the ratings, drawn at random; {self.validation_share:.0%}"
        return f"{shares} are for validation"

    def _held_out(self, dataset: Dataset, seed: int) -> HeldOut:
        rows = stream(seed, "protocol", "shares").permutation(self._eligible(dataset))
        user = dataset.table.user[rows]
        place, size = placed(user if self.per_user else np.zeros_like(user))
        n_test, n_validation = (
            np.floor(share * size).astype(np.int64) for share in (self.test_share, self.validation_share)
        )
        n_test += (n_test == 0) & (self.test_share > 0) & (size - n_validation > 1)
        n_validation += (n_validation == 0) & (self.validation_share > 0) & (size - n_test > 1)
        tested = place < n_test
        chosen = ~tested & (place < n_test + n_validation)
        return HeldOut(rows[~tested & ~chosen], rows[chosen], rows[tested])


@dataclass(frozen=True)
class LeaveLastOut(Protocol):
    """The last rating of each user by time; the one before is for validation.

    Ratings of the same second are put in a random order. Who has fewer than three ratings keeps them all in
    training. `draw` raises a DataError if the time of a rating is not known.
    """

    name: ClassVar[str] = "leave_last_out"

    @property
    def description(self) -> str:
        return "the last rating of each user by time; the one before is for validation"

    def _held_out(self, dataset: Dataset, seed: int) -> HeldOut:
        rows = stream(seed, "protocol", "ties").permutation(self._eligible(dataset))
        rows = rows[np.argsort(known_times(dataset, rows, self.name), kind="stable")[::-1]]
        place, size = placed(dataset.table.user[rows])
        tested, chosen = ((size >= 3) & (place == last) for last in (0, 1))
        return HeldOut(rows[~tested & ~chosen], rows[chosen], rows[tested])


@dataclass(frozen=True)
class GlobalTime(Protocol):
    """The latest ratings of all, after one moment in time; those before it are for validation, then training.

    So nothing is learned from what happened later than what is asked, as it is in use. Ratings of the same
    second are put in a random order. Asked are users with at least `min_known` ratings for training or
    validation; the later ratings of others are in no part. `draw` raises a DataError if the time of a rating
    is not known.
    """

    name: ClassVar[str] = "global_time"

    test_ratio: float = knob(0.1, "fraction of ratings for testing, the latest", low=0.0, high=0.95)
    validation_ratio: float = knob(
        0.1, "fraction of training ratings for validation, the latest of them", low=0.0, high=0.95
    )
    min_known: int = knob(1, "earlier ratings of a user who is asked", low=0, high=2**31 - 1)

    @property
    def description(self) -> str:
        return (
            f"the latest {self.test_ratio:.0%} of all ratings, of users with {self.min_known} or more before"
        )

    def _held_out(self, dataset: Dataset, seed: int) -> HeldOut:
        rows = stream(seed, "protocol", "ties").permutation(self._eligible(dataset))
        rows = rows[np.argsort(known_times(dataset, rows, self.name), kind="stable")]
        known, later = np.split(rows, [len(rows) - round(self.test_ratio * len(rows))])
        train, validation = np.split(known, [len(known) - round(self.validation_ratio * len(known))])
        user = dataset.table.user
        count = np.bincount(user[known], minlength=len(dataset.table.users))
        return HeldOut(train, validation, later[count[user[later]] >= self.min_known])


@dataclass(frozen=True)
class Thinned(Official):
    """The test part of an official or random split, with a share of its training ratings.

    At an equal seed the test part is the same for every `keep_ratio`, and a lower one keeps a subset of the
    training ratings, and of the validation ratings, that a higher one keeps. `draw` raises a ConfigError if
    the data set has no such split.
    """

    name: ClassVar[str] = "thinned"

    split: str = knob(
        "default", "an official split, 'random', or 'default': the first official one, else random"
    )
    test_ratio: float = knob(0.1, "fraction of ratings for testing in a random split", low=0.0, high=0.95)
    keep_ratio: float = knob(1.0, "fraction of training and validation ratings to keep", low=1e-6, high=1.0)

    @property
    def description(self) -> str:
        kept = f"{self.keep_ratio:g} of its training ratings kept"
        return f"the test part of a split ({self.split}), with {kept}"

    def _held_out(self, dataset: Dataset, seed: int) -> HeldOut:
        rows = self._eligible(dataset)
        training, test = parts_of(dataset, self.split, rows, self.test_ratio, seed)
        return HeldOut(*divided(training, seed, self.validation_ratio, self.keep_ratio), test)


def parts_of(dataset: Dataset, split: str, rows: Rows, test_ratio: float, seed: int) -> tuple[Rows, Rows]:
    """The rows, out of some, for training and for the test, int64.

    Args:
        dataset: what is divided.
        split: the name of an official split, "random", or "default" for the first official one, else random.
        rows: int64, ascending; the others are in neither part.
        test_ratio: share of the rows that a random split tests on.
        seed: of a random split.

    Raises:
        ConfigError: if the data set has no such split.
    """
    if split == "random" or (split == "default" and not len(dataset.splits)):
        return _random_rows(rows, test_ratio, seed)
    return _official_rows(dataset, split, rows)


def _random_rows(rows: Rows, test_ratio: float, seed: int) -> tuple[Rows, Rows]:
    order = stream(seed, "split", "test").permutation(rows)
    n_test = round(test_ratio * len(order))
    return order[n_test:], order[:n_test]


def _official_rows(dataset: Dataset, name: str, rows: Rows) -> tuple[Rows, Rows]:
    splits: Mapping[str, tuple[Rows, Rows]] = dataset.splits
    if not len(splits):
        raise ConfigError(
            f"{dataset.name} has no official split",
            got=name,
            remedy="choose a protocol that draws one, such as random_80_20",
        )
    if name != "default" and name not in splits:
        raise ConfigError(
            f"{dataset.name} has no such split", got=name, allowed=", ".join(["default", *splits])
        )
    training, test = splits[next(iter(splits)) if name == "default" else name]
    return np.intersect1d(training, rows), np.intersect1d(test, rows)
