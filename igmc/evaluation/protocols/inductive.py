"""Protocols for users and items that were not there in training.

A held-out user or item has no rating in training or validation. What it shows of itself is the support part:
known when the test pairs are asked, and not before. The validation part is drawn from the ratings of known
users for known items, so what is chosen on it is chosen for those.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from igmc.config import knob
from igmc.errors import ConfigError, DataError
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
    "UnseenBoth",
    "UnseenItems",
    "UnseenUsers",
    "of_new_items",
    "unseen_both",
    "unseen_items",
    "unseen_users",
]

Mask = NDArray[np.bool_]

SHARE = "share of the {} that is unseen (by random or time)"
BEFORE_YEAR = "items of this year and later are unseen (by time); those without a year are known"


@dataclass(frozen=True)
class _Unseen(ProtocolSettings):
    """Who is unseen, and what they reveal."""

    by: str = knob(
        "random",
        "who is unseen: a random share; those with few ratings (as in IDCF, ICML 2021); or the latest, users "
        "by their first rating, items by their year (as in HIRE, ICDE 2025)",
        choices=("random", "activity", "time"),
    )
    min_known: int = knob(30, "who has fewer ratings is unseen (by activity)", low=1, high=2**31 - 1)
    k: int = knob(5, "ratings that each of the unseen reveals", low=0, high=2**31 - 1)
    percent: float | None = knob(
        None, "per cent of their ratings that they reveal, rounded, instead of k", low=0.0, high=100.0
    )
    reveal: str = knob(
        "random", "which ratings they reveal: any, or the first by time", choices=("random", "first")
    )
    validation_ratio: float = knob(0.1, VALIDATION_RATIO, low=0.0, high=0.95)

    @property
    def revealed(self) -> str:
        """What each of the unseen reveals, in words."""
        return f"{self.k} ratings" if self.percent is None else f"{self.percent:g} % of those"

    def shown(self, size: Rows) -> Rows:
        """How many ratings are revealed of entities with so many, int64 [n]."""
        return _amount(size, self.k, self.percent)


@dataclass(frozen=True)
class UnseenUsers(_Unseen):
    """Users without a rating in training."""

    share: float = knob(0.2, SHARE.format("users"), low=0.0, high=0.95)
    max_k: int = knob(
        10, "ratings kept back, so that every k up to this is asked the same pairs", low=0, high=2**31 - 1
    )
    max_percent: float = knob(20.0, "the same for `percent`", low=0.0, high=100.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("k", "percent"):
            value, most = getattr(self, name), getattr(self, f"max_{name}")
            if value is not None and value > most:
                raise ConfigError(
                    f"{name} is more than max_{name}",
                    got=value,
                    allowed=f"at most {most}",
                    remedy=f"raise max_{name}; the pairs asked will be others",
                )

    def reserved(self, size: Rows) -> Rows:
        """How many ratings are not asked of entities with so many, int64 [n]."""
        return _amount(size, self.max_k, None if self.percent is None else self.max_percent)


@dataclass(frozen=True)
class UnseenItems(UnseenUsers):
    """Items without a rating in training."""

    share: float = knob(0.2, SHARE.format("items"), low=0.0, high=0.95)
    before_year: int = knob(1997, BEFORE_YEAR, low=0, high=9999)


@dataclass(frozen=True)
class UnseenBoth(_Unseen):
    """Users and items without a rating in training."""

    share: float = knob(0.2, SHARE.format("users"), low=0.0, high=0.95)
    item_share: float = knob(0.2, SHARE.format("items"), low=0.0, high=0.95)
    before_year: int = knob(1997, BEFORE_YEAR, low=0, high=9999)


def unseen_users(dataset: Dataset, settings: UnseenUsers, seed: int) -> HeldOut:
    """All ratings of some users: a few are revealed, the others asked.

    The ratings of a held-out user are put in order, at random or by time. Those after the first `max_k` are
    asked, and the first `k` are revealed. So at an equal seed the asked pairs are the same for every k, and a
    larger k reveals what a smaller one does and more. Who has no more than `max_k` ratings is asked nothing.
    With `percent`, read `max_percent` for `max_k`.

    Raises:
        DataError: if times are needed (by "time", reveal "first") and not known.
    """
    rows = eligible(dataset, settings)
    return _one_side(
        dataset, settings, seed, "user", _unseen_users(dataset, rows, settings, settings.share, seed)
    )


def unseen_items(dataset: Dataset, settings: UnseenItems, seed: int) -> HeldOut:
    """All ratings of some items, as `unseen_users` does it with users.

    Raises:
        DataError: as `unseen_users`, and if the years of items are needed (by "time") and not known.
    """
    rows = eligible(dataset, settings)
    share, year = settings.share, settings.before_year
    return _one_side(
        dataset, settings, seed, "item", _unseen_items(dataset, rows, settings, share, year, seed)
    )


def unseen_both(dataset: Dataset, settings: UnseenBoth, seed: int) -> HeldOut:
    """The ratings of some users for some items, where training has no rating of either.

    All of them are asked. An unseen user reveals `k` ratings of known items, and an unseen item `k` ratings
    by known users, so the pairs asked are the same for every k. The other ratings between known and unseen
    are in no part.

    Raises:
        DataError: as `unseen_items`.
    """
    rows, table = eligible(dataset, settings), dataset.table
    new_user = _unseen_users(dataset, rows, settings, settings.share, seed)[table.user[rows]]
    new_item = _unseen_items(dataset, rows, settings, settings.item_share, settings.before_year, seed)[
        table.item[rows]
    ]
    train, validation = divided(rows[~new_user & ~new_item], seed, settings.validation_ratio)
    support = []
    for side, rated in (("user", rows[new_user & ~new_item]), ("item", rows[new_item & ~new_user])):
        order, place, size = in_turn(dataset, rated, side, settings.reveal, seed)
        support.append(order[place < settings.shown(size)])
    return HeldOut(train, validation, rows[new_user & new_item], np.concatenate(support))


def in_turn(dataset: Dataset, rows: Rows, side: str, reveal: str, seed: int) -> tuple[Rows, Rows, Rows]:
    """The order in which users or items reveal their ratings.

    Args:
        dataset: of which the rows are.
        rows: int64 [n], the ratings of those who reveal.
        side: "user" or "item".
        reveal: "random", or "first" for by time, with ties at random.
        seed: of the order.

    Returns:
        The rows in an order, and for each its place among those of its user or item, from 0, and how many
        these are; int64 [n] each.

    Raises:
        DataError: if the order is by time and a time is not known.
    """
    order = stream(seed, "protocol", "reveal", side).permutation(rows)
    if reveal == "first":
        times = known_times(dataset, order, "to reveal the first ratings")
        order = order[np.argsort(times, kind="stable")]
    return order, *placed(getattr(dataset.table, side)[order])


def random_share(dataset: Dataset, rows: Rows, side: str, share: float, seed: int) -> Mask:
    """A random share, rounded, of the users or items ("user", "item") of rows: bool, one for each index."""
    entity = getattr(dataset.table, side)
    present = stream(seed, "protocol", "unseen", side).permutation(np.unique(entity[rows]))
    return _mask(present[: round(share * len(present))], len(getattr(dataset.table, f"{side}s")))


def of_new_items(dataset: Dataset, before_year: int) -> Mask:
    """The items of a year or later, bool [n_items]; those without a year are not among them.

    Raises:
        DataError: if the data set does not say of what year its items are.
    """
    info = dataset.item_info
    if info is None or "year" not in info:
        raise DataError(
            f"nothing says of what year the items of {dataset.name} are",
            remedy="choose the unseen items by random or activity",
        )
    year: NDArray[np.float64] = info["year"].to_numpy(dtype=np.float64, na_value=np.nan)
    return year >= before_year


def _one_side(dataset: Dataset, settings: UnseenUsers, seed: int, side: str, unseen: Mask) -> HeldOut:
    rows = eligible(dataset, settings)
    theirs = unseen[getattr(dataset.table, side)[rows]]
    order, place, size = in_turn(dataset, rows[theirs], side, settings.reveal, seed)
    train, validation = divided(rows[~theirs], seed, settings.validation_ratio)
    asked = place >= settings.reserved(size)
    return HeldOut(train, validation, order[asked], order[place < settings.shown(size)])


def _unseen_users(dataset: Dataset, rows: Rows, settings: _Unseen, share: float, seed: int) -> Mask:
    user, n = dataset.table.user[rows], len(dataset.table.users)
    if settings.by == "random":
        return random_share(dataset, rows, "user", share, seed)
    if settings.by == "activity":
        return np.bincount(user, minlength=n) < settings.min_known
    first = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(first, user, known_times(dataset, rows, "to choose unseen users by time"))
    present = stream(seed, "protocol", "unseen", "user").permutation(np.unique(user))
    latest = present[np.argsort(first[present], kind="stable")[::-1]]
    return _mask(latest[: round(share * len(present))], n)


def _unseen_items(
    dataset: Dataset, rows: Rows, settings: _Unseen, share: float, before_year: int, seed: int
) -> Mask:
    if settings.by == "random":
        return random_share(dataset, rows, "item", share, seed)
    if settings.by == "activity":
        count = np.bincount(dataset.table.item[rows], minlength=len(dataset.table.items))
        return count < settings.min_known
    return of_new_items(dataset, before_year)


def _mask(chosen: NDArray[np.int32], n: int) -> Mask:
    mask = np.zeros(n, dtype=np.bool_)
    mask[chosen] = True
    return mask


def _amount(size: Rows, k: int, percent: float | None) -> Rows:
    """k, or per cent of each size, rounded half to even; int64 [n]."""
    if percent is None:
        return np.full_like(size, k)
    amount: Rows = np.rint(percent / 100 * size).astype(np.int64)
    return amount
