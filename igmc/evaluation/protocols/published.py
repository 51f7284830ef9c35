"""Protocols of published cold-start studies, as far as their papers and released code tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from igmc.config import knob
from igmc.evaluation.protocols.base import VALIDATION_RATIO, HeldOut, Protocol
from igmc.evaluation.protocols.inductive import in_turn, of_new_items, random_share
from igmc.evaluation.protocols.transductive import parts_of
from igmc.ratings import Dataset, divided

__all__ = ["Hire", "Idcf"]


@dataclass(frozen=True)
class Idcf(Protocol):
    """The test ratings of users with few training ratings (Wu et al., ICML 2021, section 5).

    The ratings are divided at random, 90/10 on ML-1M, by the official split u1 on ML-100K, as in the released
    code. Users with at least `min_known` training ratings are key users, the others query users. Asked are
    the test ratings of query users, from what they rated in training. Those ratings are support: IDCF's
    results for new users are of this kind. Its few-shot results come from models that were trained on them,
    which is `queries` "train". The test ratings of key users are in no part. `draw` raises a
    ConfigError if the data set has no such split.
    """

    name: ClassVar[str] = "idcf"
    kind: ClassVar[str] = "rating"

    split: str = knob(
        "default", "an official split, 'random', or 'default': the first official one, else random"
    )
    test_ratio: float = knob(0.1, "fraction of ratings for testing in a random split", low=0.0, high=0.95)
    min_known: int = knob(30, "users with fewer training ratings are query users", low=1, high=2**31 - 1)
    queries: str = knob(
        "support",
        "the training ratings of query users are known at test time only (as in IDCF's extrapolation), or "
        "are trained on (as in its interpolation)",
        choices=("support", "train"),
    )
    validation_ratio: float = knob(0.05, VALIDATION_RATIO, low=0.0, high=0.95)

    @property
    def description(self) -> str:
        use = "known at test time only" if self.queries == "support" else "trained on"
        users = f"users with fewer than {self.min_known} training ratings"
        return f"the test ratings of {users}, which are {use} (IDCF, ICML 2021)"

    def _held_out(self, dataset: Dataset, seed: int) -> HeldOut:
        rows = self._eligible(dataset)
        training, test = parts_of(dataset, self.split, rows, self.test_ratio, seed)
        user = dataset.table.user
        query = np.bincount(user[training], minlength=len(dataset.table.users)) < self.min_known
        theirs = query[user[training]]
        asked = test[query[user[test]]]
        if self.queries == "train":
            return HeldOut(*divided(training, seed, self.validation_ratio), asked)
        train, validation = divided(training[~theirs], seed, self.validation_ratio)
        return HeldOut(train, validation, asked, training[theirs])


@dataclass(frozen=True)
class Hire(Protocol):
    """Ratings of cold users for known items, of known users for cold items, or of cold users for cold items.

    A random `user_share` of the users is cold, and the items of `before_year` and later (Fang et al., ICDE
    2025, after MeLU, KDD 2019). Trained on are ratings of known users for known items. Each cold user, or
    cold item with `cold` "item", shows `percent` of its ratings in the state that is tested, and all its
    others there are asked; the states that are not tested are in no part. `draw` raises a DataError if
    nothing says of what year the items are.

    Of the rated films of ML-1M 72 % are of before 1997, and 80 % of before 1998; MeLU calls its division by
    that year "approximately 8:2".

    The released code draws contexts of 32 users and 32 items out of a state, shows the ratings of 3 of the
    items, and ranks what is shown along with what is not; here only ratings that are not shown are asked.
    """

    name: ClassVar[str] = "hire"
    kind: ClassVar[str] = "rating"

    cold: str = knob("user", "which side is cold in the test part", choices=("user", "item", "both"))
    user_share: float = knob(0.2, "fraction of users that are cold", low=0.0, high=0.95)
    before_year: int = knob(
        1997, "items of this year and later are cold; those without a year are not", low=0, high=9999
    )
    percent: float = knob(
        10.0, "percentage of its ratings that a cold user or item reveals, rounded", low=0.0, high=100.0
    )
    validation_ratio: float = knob(0.1, VALIDATION_RATIO, low=0.0, high=0.95)

    @property
    def description(self) -> str:
        users, items = ("cold" if self.cold in (side, "both") else "known" for side in ("user", "item"))
        return (
            f"the ratings of {users} users for {items} items, except {self.percent:g} % that each cold one "
            "shows at test time; validation is on known users and items (HIRE, ICDE 2025)"
        )

    def _held_out(self, dataset: Dataset, seed: int) -> HeldOut:
        rows, table = self._eligible(dataset), dataset.table
        cold_user = random_share(dataset, rows, "user", self.user_share, seed)[table.user[rows]]
        cold_item = of_new_items(dataset, self.before_year)[table.item[rows]]
        state = (cold_user == (self.cold != "item")) & (cold_item == (self.cold != "user"))
        side = "item" if self.cold == "item" else "user"
        order, place, size = in_turn(dataset, rows[state], side, "random", seed)
        shown = place < np.rint(self.percent / 100 * size)
        train, validation = divided(rows[~cold_user & ~cold_item], seed, self.validation_ratio)
        return HeldOut(train, validation, order[~shown], order[shown])
