"""From requests that store something to changes of the log, checked by what the run knows."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Sequence

from igmc.config import ServeConfig
from igmc.errors import DataError
from igmc.inference import Predictor, encode_ratings, near_ids, nearest_ratings
from igmc.live import Change, Draft, LiveRatings
from igmc.ratings import IdTable, RawId
from igmc.web import live_schemas, schemas
from igmc.web.wire_ids import LARGEST, LONGEST, kind_of, received_all, typed

__all__ = ["Ledger"]

PATIENCE = 2.0  # seconds to wait for an item that another process may have stored just now


class Ledger:
    """What may be stored.

    Args:
        live: where it goes.
        limits: of the server.
    """

    def __init__(self, live: LiveRatings, limits: ServeConfig) -> None:
        self.live, self.limits = live, limits
        self._kinds = {"user": kind_of(live.predictor.users), "item": kind_of(live.predictor.items)}

    def user(self, text: str) -> RawId:
        """The id in an address: a number or a text, as those of the run are.

        Raises:
            DataError: on a text where all ids are numbers, or one that is too long or too large.
        """
        return self._named("user", self.live.predictor.users, text)

    def item(self, text: str) -> RawId:
        """As `user`, of an item."""
        return self._named("item", self.live.predictor.items, text)

    def rate(self, user: RawId, asked: live_schemas.UserRatings) -> tuple[Draft, ...]:
        """What stores ratings of one user.

        Raises:
            DataError: on a rating off the scale, an item that is rated twice or not known, or too many.
        """
        items = received_all(self.live.predictor.items, (one.item_id for one in asked.ratings))
        given = {item: one.rating for item, one in zip(items, asked.ratings, strict=True)}
        if len(given) < len(asked.ratings):
            raise DataError("an item is rated twice", allowed="each item once")
        scale = self.live.predictor.scale
        rounded = nearest_ratings(scale, given) if asked.round else given
        return self._ratings(
            [
                Draft("rate", user, item, float(rounded[item]), one.time)
                for item, one in zip(items, asked.ratings, strict=True)
            ]
        )

    def append(self, asked: live_schemas.StoredRatings) -> tuple[Draft, ...]:
        """What stores items, and ratings of any users; raises as `rate`."""
        known = self.live.predictor
        users = received_all(known.users, (one.user_id for one in asked.ratings))
        rated = received_all(known.items, (one.item_id for one in asked.ratings))
        rows = [
            Draft("rate", user, item, one.rating, one.time)
            for user, item, one in zip(users, rated, asked.ratings, strict=True)
        ]
        if not rows and not asked.items:
            raise DataError("there is nothing to store", allowed="ratings, items, or both")
        new = received_all(known.items, (one.item_id for one in asked.items))
        items = tuple(self.describe(item, one) for item, one in zip(new, asked.items, strict=True))
        return (*items, *self._ratings(rows, set(new)))

    def describe(self, item: RawId, asked: live_schemas.Described) -> Draft:
        """What stores the title, the genres and the year of an item."""
        self._check("item", item)
        about = asked.model_dump(include={"title", "genres", "year"})
        if any("|" in genre for genre in asked.genres):
            raise DataError("a genre contains '|'", got=asked.genres)
        return Draft("item", None, item, about=json.dumps(about))

    def change(
        self, drafts: Sequence[Draft], key: str | None, asked: schemas.Strict | None, *where: object
    ) -> Change:
        """The change that some drafts make.

        Args:
            drafts: in order.
            key: the idempotency key of the request, if there is one.
            asked: the body; where: the method, and what the address names.
        """
        body = None if asked is None else asked.model_dump_json()
        digest = hashlib.sha256(json.dumps([*map(repr, where), body]).encode()).hexdigest()
        return Change(tuple(drafts), key, digest if key is not None else "")

    def _named(self, side: str, table: IdTable, text: str) -> RawId:
        raw = typed(table, self._kinds[side], text)
        self._check(side, raw)
        return raw

    def _check(self, side: str, raw: RawId) -> None:
        """New ids are of the kind of the old ones, so that a file can hold them side by side."""
        kind = self._kinds[side]
        if kind is not None and not isinstance(raw, kind):
            what = "whole numbers" if kind is int else "texts"
            raise DataError(f"the {side} ids of this run are {what}", got=raw, allowed=f"{what} only")
        if isinstance(raw, int) and abs(raw) > LARGEST:
            raise DataError("an id is too large", got=raw, allowed="whole numbers below 2^63")
        if isinstance(raw, str) and not (0 < len(raw) <= LONGEST and raw == raw.strip()):
            raise DataError(
                "an id is empty or too long, or has leading or trailing blanks",
                got=raw,
                allowed=f"1..{LONGEST} characters",
            )

    def _ratings(self, drafts: list[Draft], known: Iterable[RawId] = ()) -> tuple[Draft, ...]:
        most = self.limits.max_ratings
        if len(drafts) > most:
            raise DataError("too many ratings in a request", got=len(drafts), allowed=f"at most {most}")
        encode_ratings(self.live.predictor.scale, [draft.rating for draft in drafts])
        for user in {draft.user for draft in drafts}:
            self._check("user", user)
        rated = {draft.item for draft in drafts} - set(known)
        if _unknown(self.live.predictor, rated):
            self.live.caught_up(PATIENCE)
        for item in _unknown(self.live.predictor, rated):
            raise DataError(
                "a rated item is unknown",
                got=item,
                remedy=f"{near_ids(self.live.predictor.items, item)}; or store the item first: "
                "PUT /api/items/{item_id}, or items in POST /api/ratings",
            )
        now = int(time.time())
        return tuple(draft if draft.time is not None else draft._replace(time=now) for draft in drafts)


def _unknown(predictor: Predictor, items: Iterable[RawId]) -> list[RawId]:
    table: IdTable = predictor.items
    given = list(items)
    return [raw for raw, index in zip(given, table.encode(given), strict=True) if index < 0]
