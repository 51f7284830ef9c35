"""Protocols for users and items that were not there in training.

A held-out user or item has no rating in training or validation. What it shows of itself is the support part:
known when the test pairs are asked, and not before. The validation part is drawn from the ratings of known
users for known items, so what is chosen on it is chosen for those.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from igmc.config import knob
from igmc.errors import ConfigError, DataError
from igmc.evaluation.protocols.base import VALIDATION_RATIO, HeldOut, Protocol, Rows, known_times, placed
from igmc.ratings import Dataset, divided
from igmc.rng import stream

__all__ = ["UnseenBoth", "UnseenItems", "UnseenUsers", "in_turn", "of_new_items", "random_share"]

Mask = NDArray[np.bool_]

SHARE = "fraction of {} that are unseen (by random or time)"
BEFORE_YEAR = "items of this year and later are unseen (by time); those without a year are known"


@dataclass(frozen=True)
class _Unseen(Protocol):
    """Who is unseen, and what they reveal.

    `draw` raises a DataError if times (by "time", reveal "first") or the years of items (by "time") are
    needed and not known.
    """

    by: str = knob(
        "random",
        "who is unseen: a random fraction; those with few ratings (as in IDCF, ICML 2021); or the latest, "
        "users by their first rating, items by year (as in HIRE, ICDE 2025)",
        choices=("random", "activity", "time"),
    )
    min_known: int = knob(
        30, "users or items with fewer ratings are unseen (by activity)", low=1, high=2**31 - 1
    )
    k: int = knob(5, "ratings that each unseen user or item reveals", low=0, high=2**31 - 1)
    percent: float | None = knob(
        None, "percentage of their ratings that they reveal, rounded, instead of k", low=0.0, high=100.0
    )
    reveal: str = knob(
        "random", "which ratings they reveal: any, or the first by time", choices=("random", "first")
    )
    validation_ratio: float = knob(0.1, VALIDATION_RATIO, low=0.0, high=0.95)

    @property
    def _revealed(self) -> str:
        """What each of the unseen reveals, in words."""
        return f"{self.k} ratings" if self.percent is None else f"{self.percent:g} % of those"

    def _shown(self, size: Rows) -> Rows:
        """How many ratings are revealed of entities with so many, int64 [n]."""
        return _amount(size, self.k, self.percent)

    def _unseen_users(self, dataset: Dataset, rows: Rows, share: float, seed: int) -> Mask:
        user, n = dataset.table.user[rows], len(dataset.table.users)
        if self.by == "random":
            return random_share(dataset, rows, "user", share, seed)
        if self.by == "activity":
            return np.bincount(user, minlength=n) < self.min_known
        first = np.full(n, np.iinfo(np.int64).max)
        np.minimum.at(first, user, known_times(dataset, rows, "to choose unseen users by time"))
        present = stream(seed, "protocol", "unseen", "user").permutation(np.unique(user))
        latest = present[np.argsort(first[present], kind="stable")[::-1]]
        return _mask(latest[: round(share * len(present))], n)

    def _unseen_items(self, dataset: Dataset, rows: Rows, share: float, before_year: int, seed: int) -> Mask:
        if self.by == "random":
            return random_share(dataset, rows, "item", share, seed)
        if self.by == "activity":
            count = np.bincount(dataset.table.item[rows], minlength=len(dataset.table.items))
            return count < self.min_known
        return of_new_items(dataset, before_year)


@dataclass(frozen=True)
class UnseenUsers(_Unseen):
    """All ratings of some users: a few are revealed, the others asked.

    The ratings of a held-out user are put in order, at random or by time. Those after the first `max_k` are
    asked, and the first `k` are revealed. So at an equal seed the asked pairs are the same for every k, and a
    larger k reveals what a smaller one does and more. Who has no more than `max_k` ratings is asked nothing.
    With `percent`, read `max_percent` for `max_k`.
    """

    name: ClassVar[str] = "unseen_users"
    side: ClassVar[str] = "user"

    share: float = knob(0.2, SHARE.format("users"), low=0.0, high=0.95)
    max_k: int = knob(
        10, "ratings held back, so that every k up to this has the same test pairs", low=0, high=2**31 - 1
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
                    remedy=f"raise max_{name}; the test pairs will differ",
                )

    @property
    def description(self) -> str:
        return (
            f"all ratings of unseen {self.side}s (by {self.by}), except {self._revealed} that each reveals "
            f"at test time; validation is on known {self.side}s"
        )

    def _held_out(self, dataset: Dataset, seed: int) -> HeldOut:
        rows = self._eligible(dataset)
        theirs = self._unseen(dataset, rows, seed)[getattr(dataset.table, self.side)[rows]]
        order, place, size = in_turn(dataset, rows[theirs], self.side, self.reveal, seed)
        train, validation = divided(rows[~theirs], seed, self.validation_ratio)
        kept_back = _amount(size, self.max_k, None if self.percent is None else self.max_percent)
        return HeldOut(train, validation, order[place >= kept_back], order[place < self._shown(size)])

    def _unseen(self, dataset: Dataset, rows: Rows, seed: int) -> Mask:
        return self._unseen_users(dataset, rows, self.share, seed)


@dataclass(frozen=True)
class UnseenItems(UnseenUsers):
    """All ratings of some items, as `UnseenUsers` does it with users."""

    name: ClassVar[str] = "unseen_items"
    kind: ClassVar[str] = "rating"
    side: ClassVar[str] = "item"

    share: float = knob(0.2, SHARE.format("items"), low=0.0, high=0.95)
    before_year: int = knob(1997, BEFORE_YEAR, low=0, high=9999)

    def _unseen(self, dataset: Dataset, rows: Rows, seed: int) -> Mask:
        return self._unseen_items(dataset, rows, self.share, self.before_year, seed)


@dataclass(frozen=True)
class UnseenBoth(_Unseen):
    """The ratings of some users for some items, where training has no rating of either.

    All of them are asked. An unseen user reveals `k` ratings of known items, and an unseen item `k` ratings
    by known users, so the pairs asked are the same for every k. The other ratings between known and unseen
    are in no part.
    """

    name: ClassVar[str] = "unseen_both"
    kind: ClassVar[str] = "rating"

    share: float = knob(0.2, SHARE.format("users"), low=0.0, high=0.95)
    item_share: float = knob(0.2, SHARE.format("items"), low=0.0, high=0.95)
    before_year: int = knob(1997, BEFORE_YEAR, low=0, high=9999)

    @property
    def description(self) -> str:
        return (
            f"the ratings of unseen users for unseen items (by {self.by}); each of both reveals "
            f"{self._revealed} that it shares with the known at test time; validation is on known users and "
            "items"
        )

    def _held_out(self, dataset: Dataset, seed: int) -> HeldOut:
        rows, table = self._eligible(dataset), dataset.table
        new_user = self._unseen_users(dataset, rows, self.share, seed)[table.user[rows]]
        new_items = self._unseen_items(dataset, rows, self.item_share, self.before_year, seed)
        new_item = new_items[table.item[rows]]
        train, validation = divided(rows[~new_user & ~new_item], seed, self.validation_ratio)
        support = []
        for side, rated in (("user", rows[new_user & ~new_item]), ("item", rows[new_item & ~new_user])):
            order, place, size = in_turn(dataset, rated, side, self.reveal, seed)
            support.append(order[place < self._shown(size)])
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
            f"the years of the items of {dataset.name} are unknown",
            remedy="choose the unseen items at random or by activity",
        )
    year: NDArray[np.float64] = info["year"].to_numpy(dtype=np.float64, na_value=np.nan)
    return year >= before_year


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
