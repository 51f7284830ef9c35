"""The part of the API that stores: ratings, items, and the erasure of users."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request

from igmc.live import Draft, LiveRatings, QueueFullError
from igmc.web import live_schemas, schemas
from igmc.web.ledger import Ledger
from igmc.web.limits import BusyError, LateError
from igmc.web.problems import described
from igmc.web.wire_ids import LONGEST

__all__ = ["routes"]

_WRITTEN: dict[int | str, dict[str, Any]] = described(400, 401, 408, 409, 413, 421, 422, 503)
_User = Annotated[str, Path(max_length=LONGEST, description="As written in the data, or a new one.")]
_Item = Annotated[str, Path(max_length=LONGEST, description="As written in the data, or a new one.")]
_Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="A random text, such as a UUID; a request repeated with it counts once.",
    ),
]

routes = APIRouter(prefix="/api")


@routes.put("/users/{user_id:path}/ratings", summary="Store ratings of a user", responses=_WRITTEN)
async def rate(
    request: Request, user_id: _User, asked: live_schemas.UserRatings, key: _Key = None
) -> live_schemas.Written:
    """The user may be new. Each rating replaces an earlier one of the same item; others stay.

    The answer comes once the ratings are durable; they count for everyone a moment later.
    """
    ledger = _ledger(request)
    user = ledger.user(user_id)
    drafts = await asyncio.to_thread(ledger.rate, user, asked)  # it may wait for another process
    return await _stored(request, drafts, key, asked, "PUT ratings", user)


@routes.delete("/users/{user_id:path}/ratings/{item_id:path}", summary="Delete a rating", responses=_WRITTEN)
async def delete(request: Request, user_id: _User, item_id: _Item, key: _Key = None) -> live_schemas.Written:
    """Succeeds even if there is no such rating."""
    ledger = _ledger(request)
    user, item = ledger.user(user_id), ledger.item(item_id)
    return await _stored(request, [Draft("delete", user, item)], key, None, "DELETE rating", user, item)


@routes.delete("/users/{user_id:path}", summary="Erase a user", responses=_WRITTEN)
async def erase(request: Request, user_id: _User, key: _Key = None) -> live_schemas.Written:
    """Removes all ratings of a user from the store, its files and the graph; later exports omit them.

    Only the id is kept, so that a restart does not bring back the ratings that are in the run.
    """
    user = _ledger(request).user(user_id)
    return await _stored(request, [Draft("erase", user)], key, None, "DELETE user", user)


@routes.post("/ratings", summary="Store ratings of many users", responses=_WRITTEN)
async def append(
    request: Request, asked: live_schemas.StoredRatings, key: _Key = None
) -> live_schemas.Written:
    """Stores all of it or nothing. New items come with their titles."""
    ledger = _ledger(request)
    drafts = await asyncio.to_thread(ledger.append, asked)
    return await _stored(request, drafts, key, asked, "POST ratings")


@routes.put("/items/{item_id:path}", summary="Store an item", responses=_WRITTEN)
async def describe(
    request: Request, item_id: _Item, asked: live_schemas.Described, key: _Key = None
) -> live_schemas.Written:
    """Sets title, genres and year. The item may be new, and can be rated from then on."""
    ledger = _ledger(request)
    item = ledger.item(item_id)
    return await _stored(request, [ledger.describe(item, asked)], key, asked, "PUT item", item)


def _ledger(request: Request) -> Ledger:
    found: Ledger = request.app.state.ledger
    return found


async def _stored(
    request: Request, drafts: Sequence[Draft], key: str | None, asked: schemas.Strict | None, *where: object
) -> live_schemas.Written:
    ledger = _ledger(request)
    live: LiveRatings = ledger.live
    try:
        waiting = live.write(ledger.change(drafts, key, asked, *where))
    except QueueFullError:
        raise BusyError from None
    try:
        receipt = await asyncio.wait_for(asyncio.wrap_future(waiting), ledger.limits.timeout)
    except TimeoutError:
        raise LateError from None
    return live_schemas.Written(**receipt._asdict())
