"""What became of the answers of a log: the ratings that the store got afterwards, summed by user."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.errors import ConfigError, DataError
from igmc.experiments.answers import SHADOW, Answer, hashed_id
from igmc.live import RatingLog
from igmc.ratings import RawId

__all__ = ["COLUMNS", "SHADOW_COLUMNS", "Outcomes", "outcomes"]

PIECE = 200_000  # entries that are read at once
COLUMNS = ("users", "lists", "listed", "hits", "converted", "ratings", "squared", "scored")
SHADOW_COLUMNS = ("listed", "common", "squared", "shadow_squared", "scored")

Sums = NDArray[np.float64]
_Ratings = Mapping[RawId, tuple[int, float]]  # item -> place in the store, and the rating that counts


class Outcomes(NamedTuple):
    """Sums over the answers to each user.

    Attributes:
        arms: arm -> float64 [8, U], of each user who saw this arm only: 1 if the user got a list, else 0;
            lists; items listed, each once; 1 if one of these was rated afterwards, else 0; how many of them
            were; the sum of these ratings; and of all items whose prediction was shown before the rating, the
            sum of squared errors and their number.
        shadow: float64 [5, U], of each user with answers of the shadow: items listed, in all lists together;
            how many of them the shadow listed too; sums of squared errors of what was shown and of the shadow
            on the same rated items, and their number.
        answers: arm -> number of answers that count.
        left_out: why answers do not count -> how many.
        unmatched: whether no user of the log has anything in the store.
    """

    arms: dict[str, Sums]
    shadow: Sums
    answers: dict[str, int]
    left_out: dict[str, int]
    unmatched: bool


class _Store(NamedTuple):
    """What a store holds by user."""

    rated: dict[Hashable, dict[RawId, tuple[int, float]]]
    erased: dict[Hashable, int]
    last: int


def outcomes(answers: Sequence[Answer], store: str, key: str | None = None) -> Outcomes:
    """Join the answers of a log with a store.

    The last rating of a user for an item counts, if it was stored after the answer. Left out are answers to
    visitors without an id, of servers without a store, to users who saw more than one arm, and to users who
    were erased afterwards.

    Args:
        answers: by time.
        store: see `igmc.live.RatingLog`; it must exist.
        key: of hashed ids.

    Raises:
        ConfigError: if ids are hashed and there is no key.
        DataError: if the store does not exist, or is older than the answers.
        DatabaseAwayError: if it cannot be reached.
    """
    if key is None and any(one.hashed for one in answers):
        raise ConfigError(
            "the log has hashed ids", remedy="set IGMC_LOG_KEY to the key with which they were logged"
        )
    known = _read(store, key)
    newest = max((one.position for one in answers if one.position is not None), default=0)
    if newest > known.last:
        raise DataError(
            "the answers are newer than the store",
            got=f"an answer after entry {newest}, and a store of {known.last} entries",
            remedy="give the store with which the answers were served",
        )
    left_out: Counter[str] = Counter()
    by_user: dict[Hashable, list[Answer]] = defaultdict(list)
    for one in answers:
        user = _key_of(one, key)
        reason = _reason(one, known.erased.get(user, -1))
        if reason is None:
            by_user[user].append(one)
        else:
            left_out[reason] += one.arm != SHADOW
    arms: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    shadows, counts = [], Counter[str]()
    for user, given in by_user.items():
        shown = [one for one in given if one.arm != SHADOW]
        seen = {one.arm for one in shown}
        if len(seen) != 1:
            left_out["users who saw more than one arm"] += len(shown)
            continue
        rated = known.rated.get(user, {})
        (arm,) = seen
        arms[arm].append(_sums(shown, rated))
        counts[arm] += len(shown)
        shadow = {one.answer: one for one in given if one.arm == SHADOW}
        if shadow:
            pairs = [(one, shadow[one.answer]) for one in shown if one.answer in shadow]
            shadows.append(_shadow_sums(pairs, rated))
    return Outcomes(
        {arm: np.array(arms[arm], np.float64).T for arm in sorted(arms)},
        np.array(shadows, np.float64).reshape(-1, len(SHADOW_COLUMNS)).T,
        dict(counts),
        dict(left_out),
        bool(by_user) and not any(user in known.rated for user in by_user),
    )


def _reason(answer: Answer, erased: int) -> str | None:
    """Why an answer does not count, if so."""
    if answer.user is None:
        return "visitors without an id"
    if answer.position is None:
        return "served without a store"
    return "users erased afterwards" if answer.position < erased else None


def _sums(shown: Iterable[Answer], rated: _Ratings) -> tuple[float, ...]:
    """Those of `COLUMNS` of a user."""
    listed: dict[RawId, int] = {}  # item -> place in the store when it was listed first
    predicted: dict[RawId, float] = {}  # rated item -> what was shown last before
    lists = 0
    for one in shown:
        lists += one.kind == "list"
        for item, score in one.items:
            if one.kind == "list":
                listed.setdefault(item, one.position or 0)
            if _after(rated, item, one.position or 0):
                predicted[item] = score
    found = [rated[item][1] for item, position in listed.items() if _after(rated, item, position)]
    squared = sum((score - rated[item][1]) ** 2 for item, score in predicted.items())
    return (
        *(lists > 0, lists, len(listed)),
        *(len(found) > 0, len(found), sum(found), squared, len(predicted)),
    )


def _shadow_sums(pairs: Iterable[tuple[Answer, Answer]], rated: _Ratings) -> tuple[float, ...]:
    """Those of `SHADOW_COLUMNS` of a user, from answers that were shown and those of the shadow."""
    listed = common = 0
    predicted: dict[RawId, tuple[float, float]] = {}
    for shown, shadow in pairs:
        if shown.kind == "list":
            also = {item for item, _ in shadow.items}
            listed += len(shown.items)
            common += sum(item in also for item, _ in shown.items)
        scores = dict(shadow.scored or shadow.items)
        for item, score in shown.items:
            if item in scores and _after(rated, item, shown.position or 0):
                predicted[item] = score, scores[item]
    ours = sum((score - rated[item][1]) ** 2 for item, (score, _) in predicted.items())
    theirs = sum((score - rated[item][1]) ** 2 for item, (_, score) in predicted.items())
    return listed, common, ours, theirs, len(predicted)


def _after(rated: _Ratings, item: RawId, position: int) -> bool:
    return item in rated and rated[item][0] > position


def _key_of(answer: Answer, key: str | None) -> Hashable:
    """A user as in `_Store`: hashed if there is a key."""
    if answer.user is None or answer.hashed or key is None:
        return answer.user
    return hashed_id(answer.user, key)


def _read(store: str, key: str | None) -> _Store:
    if "://" not in store and not Path(store).is_file():
        raise DataError("there is no such store", got=store, remedy="check the path")
    found = _Store({}, {}, 0)
    position, users = 0, dict[RawId, Hashable]()
    with RatingLog(store) as log:
        while entries := log.read(position, PIECE):
            position = entries[-1].position
            for entry in entries:
                if entry.user is None:
                    continue
                if entry.user not in users:
                    users[entry.user] = entry.user if key is None else hashed_id(entry.user, key)
                user = users[entry.user]
                if entry.kind == "rate" and entry.rating is not None:
                    found.rated.setdefault(user, {})[entry.item] = entry.position, entry.rating
                elif entry.kind == "delete":
                    found.rated.get(user, {}).pop(entry.item, None)
                elif entry.kind == "erase":
                    found.rated.pop(user, None)
                    found.erased[user] = entry.position
        return found._replace(last=log.position())
