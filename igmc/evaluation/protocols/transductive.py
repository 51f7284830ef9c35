"""Protocols that hold out ratings of users and items which training knows otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from igmc.config import knob
from igmc.errors import ConfigError
from igmc.evaluation.protocols.base import (
    VALIDATION_RATIO,
    HeldOut,
    ProtocolSettings,
    Rows,
    eligible,
    known_times,
    placed,
)
from igmc.ratings import Dataset, divided
from igmc.rng import stream

__all__ = [
    "LeaveLastOut",
    "Official",
    "RandomEdges",
    "Stratified",
    "Thinned",
    "ThreeShares",
    "leave_last_out",
    "official",
    "parts_of",
    "random_edges",
    "stratified",
    "thinned",
    "three_shares",
]


@dataclass(frozen=True)
class Official(ProtocolSettings):
    """The split that comes with the data set."""

    split: str = knob("default", "which one, such as u1 or monti; 'default' is the first")
    validation_ratio: float = knob(0.1, VALIDATION_RATIO, low=0.0, high=0.95)


@dataclass(frozen=True)
class RandomEdges(ProtocolSettings):
    """Ratings drawn at random."""

    test_ratio: float = knob(0.2, "share of the ratings that is the test part", low=0.0, high=0.95)
    validation_ratio: float = knob(0.1, VALIDATION_RATIO, low=0.0, high=0.95)


@dataclass(frozen=True)
class Stratified(ProtocolSettings):
    """Ratings drawn at random from each user."""

    test_ratio: float = knob(0.25, "share of each user's ratings that is the test part", low=0.0, high=0.95)
    validation_ratio: float = knob(0.1, VALIDATION_RATIO, low=0.0, high=0.95)


@dataclass(frozen=True)
class ThreeShares(ProtocolSettings):
    """Training, validation and test part drawn at once."""

    refit: bool = knob(False, "fit the final model to training and validation ratings; RecBole does not")
    validation_share: float = knob(0.1, "share of the ratings for validation", low=0.0, high=0.45)
    test_share: float = knob(0.1, "share of the ratings that is the test part", low=0.0, high=0.45)
    per_user: bool = knob(True, "divide the ratings of each user, as RecBole does, instead of all at once")


@dataclass(frozen=True)
class LeaveLastOut(ProtocolSettings):
    """The last rating of each user."""


@dataclass(frozen=True)
class Thinned(Official):
    """Few of the training ratings."""

    split: str = knob(
        "default", "an official split, 'random', or 'default': the first official one, else random"
    )
    test_ratio: float = knob(0.1, "share of the ratings that a random split tests on", low=0.0, high=0.95)
    keep_ratio: float = knob(
        1.0, "share of the ratings for training and validation that is kept", low=1e-6, high=1.0
    )


def official(dataset: Dataset, settings: Official, seed: int) -> HeldOut:
    """The test part of an official split; validation ratings are drawn from its training part.

    Without a threshold and at an equal seed these are the parts of `igmc.ratings.split.make_split`.

    Raises:
        ConfigError: if the data set has no such split.
    """
    training, test = _official_rows(dataset, settings.split, eligible(dataset, settings))
    return HeldOut(*divided(training, seed, settings.validation_ratio), test)


def random_edges(dataset: Dataset, settings: RandomEdges, seed: int) -> HeldOut:
    """`test_ratio` of all ratings, drawn at random; validation ratings are drawn from the others.

    Without a threshold and at an equal seed these are the parts of `igmc.ratings.split.make_split`.
    """
    training, test = _random_rows(eligible(dataset, settings), settings.test_ratio, seed)
    return HeldOut(*divided(training, seed, settings.validation_ratio), test)


def stratified(dataset: Dataset, settings: Stratified, seed: int) -> HeldOut:
    """`test_ratio` of the ratings of each user, drawn at random; validation ratings from all the others.

    A user with n ratings keeps ``round((1 - test_ratio) * n)`` of them, half to even, as with
    ``python_stratified_split`` of Microsoft's recommenders. At a quarter, who has one or two keeps them all.
    """
    rows = stream(seed, "protocol", "stratified").permutation(eligible(dataset, settings))
    place, size = placed(dataset.table.user[rows])
    tested = place >= np.rint((1 - settings.test_ratio) * size)
    return HeldOut(*divided(rows[~tested], seed, settings.validation_ratio), rows[tested])


def three_shares(dataset: Dataset, settings: ThreeShares, seed: int) -> HeldOut:
    """Shares of the ratings of each user, or of all, for test and validation; training keeps the rest.

    A share of n ratings is ``floor(share * n)``. Where that is less than one it is one, first for the test,
    then for validation, as long as training keeps one; this is the rule of RecBole.
    """
    rows = stream(seed, "protocol", "shares").permutation(eligible(dataset, settings))
    user = dataset.table.user[rows]
    place, size = placed(user if settings.per_user else np.zeros_like(user))
    n_test, n_validation = (
        np.floor(share * size).astype(np.int64) for share in (settings.test_share, settings.validation_share)
    )
    n_test += (n_test == 0) & (settings.test_share > 0) & (size - n_validation > 1)
    n_validation += (n_validation == 0) & (settings.validation_share > 0) & (size - n_test > 1)
    tested = place < n_test
    chosen = ~tested & (place < n_test + n_validation)
    return HeldOut(rows[~tested & ~chosen], rows[chosen], rows[tested])


def leave_last_out(dataset: Dataset, settings: LeaveLastOut, seed: int) -> HeldOut:
    """The last rating of each user by time; the one before is for validation.

    Ratings of the same second are put in a random order. Who has fewer than three ratings keeps them all in
    training.

    Raises:
        DataError: if the time of a rating is not known.
    """
    rows = stream(seed, "protocol", "ties").permutation(eligible(dataset, settings))
    rows = rows[np.argsort(known_times(dataset, rows, "leave_last_out"), kind="stable")[::-1]]
    place, size = placed(dataset.table.user[rows])
    tested, chosen = ((size >= 3) & (place == last) for last in (0, 1))
    return HeldOut(rows[~tested & ~chosen], rows[chosen], rows[tested])


def thinned(dataset: Dataset, settings: Thinned, seed: int) -> HeldOut:
    """The test part of an official or random split, with a share of its training ratings.

    At an equal seed the test part is the same for every `keep_ratio`, and a lower one keeps a subset of the
    training ratings, and of the validation ratings, that a higher one keeps.

    Raises:
        ConfigError: if the data set has no such split.
    """
    rows = eligible(dataset, settings)
    training, test = parts_of(dataset, settings.split, rows, settings.test_ratio, seed)
    return HeldOut(*divided(training, seed, settings.validation_ratio, settings.keep_ratio), test)


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
