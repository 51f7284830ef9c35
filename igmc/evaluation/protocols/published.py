"""Protocols of published cold-start studies, as far as their papers and released code tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from igmc.config import knob
from igmc.evaluation.protocols.base import VALIDATION_RATIO, HeldOut, ProtocolSettings, eligible
from igmc.evaluation.protocols.inductive import in_turn, of_new_items, random_share
from igmc.evaluation.protocols.transductive import parts_of
from igmc.ratings import Dataset, divided

__all__ = ["Hire", "Idcf", "hire", "idcf"]


@dataclass(frozen=True)
class Idcf(ProtocolSettings):
    """The few-shot split of IDCF."""

    split: str = knob(
        "default", "an official split, 'random', or 'default': the first official one, else random"
    )
    test_ratio: float = knob(0.1, "share of the ratings that a random split tests on", low=0.0, high=0.95)
    min_known: int = knob(30, "who has fewer training ratings is a query user", low=1, high=2**31 - 1)
    queries: str = knob(
        "support",
        "the training ratings of query users are known at test time only (as in IDCF's extrapolation), or "
        "are trained on (as in its interpolation)",
        choices=("support", "train"),
    )
    validation_ratio: float = knob(0.05, VALIDATION_RATIO, low=0.0, high=0.95)

    @property
    def use(self) -> str:
        """What becomes of the training ratings of query users, in words."""
        return "known at test time only" if self.queries == "support" else "trained on"


@dataclass(frozen=True)
class Hire(ProtocolSettings):
    """The cold-start states of HIRE."""

    cold: str = knob("user", "what is cold in the test part", choices=("user", "item", "both"))
    user_share: float = knob(0.2, "share of the users that is cold", low=0.0, high=0.95)
    before_year: int = knob(
        1997, "items of this year and later are cold; those without a year are not", low=0, high=9999
    )
    percent: float = knob(
        10.0, "per cent of the ratings of a cold user or item that it shows, rounded", low=0.0, high=100.0
    )
    validation_ratio: float = knob(0.1, VALIDATION_RATIO, low=0.0, high=0.95)

    @property
    def state(self) -> str:
        """Whose ratings are tested, in words."""
        users, items = ("cold" if self.cold in (side, "both") else "known" for side in ("user", "item"))
        return f"{users} users for {items} items"


def idcf(dataset: Dataset, settings: Idcf, seed: int) -> HeldOut:
    """The test ratings of users with few training ratings (Wu et al., ICML 2021, section 5).

    The ratings are divided at random, 90/10 on ML-1M, by the official split u1 on ML-100K, as in the released
    code. Users with at least `min_known` training ratings are key users, the others query users. Asked are
    the test ratings of query users, from what they rated in training. Those ratings are support: IDCF's
    results for new users are of this kind. Its few-shot results come from models that were trained on them,
    which is `queries` "train". The test ratings of key users are in no part.

    Raises:
        ConfigError: if the data set has no such split.
    """
    training, test = parts_of(dataset, settings.split, eligible(dataset, settings), settings.test_ratio, seed)
    user = dataset.table.user
    query = np.bincount(user[training], minlength=len(dataset.table.users)) < settings.min_known
    theirs = query[user[training]]
    asked = test[query[user[test]]]
    if settings.queries == "train":
        return HeldOut(*divided(training, seed, settings.validation_ratio), asked)
    train, validation = divided(training[~theirs], seed, settings.validation_ratio)
    return HeldOut(train, validation, asked, training[theirs])


def hire(dataset: Dataset, settings: Hire, seed: int) -> HeldOut:
    """Ratings of cold users for known items, of known users for cold items, or of cold users for cold items.

    A random `user_share` of the users is cold, and the items of `before_year` and later (Fang et al., ICDE
    2025, after MeLU, KDD 2019). Trained on are ratings of known users for known items. Each cold user, or
    cold item with `cold` "item", shows `percent` of its ratings in the state that is tested, and all its
    others there are asked; the states that are not tested are in no part.

    Of the rated films of ML-1M 72 % are of before 1997, and 80 % of before 1998; MeLU calls its division by
    that year "approximately 8:2".

    The released code draws contexts of 32 users and 32 items out of a state, shows the ratings of 3 of the
    items, and ranks what is shown along with what is not; here only ratings that are not shown are asked.

    Raises:
        DataError: if nothing says of what year the items are.
    """
    rows, table = eligible(dataset, settings), dataset.table
    cold_user = random_share(dataset, rows, "user", settings.user_share, seed)[table.user[rows]]
    cold_item = of_new_items(dataset, settings.before_year)[table.item[rows]]
    state = (cold_user == (settings.cold != "item")) & (cold_item == (settings.cold != "user"))
    side = "item" if settings.cold == "item" else "user"
    order, place, size = in_turn(dataset, rows[state], side, "random", seed)
    shown = place < np.rint(settings.percent / 100 * size)
    train, validation = divided(rows[~cold_user & ~cold_item], seed, settings.validation_ratio)
    return HeldOut(train, validation, order[~shown], order[shown])
