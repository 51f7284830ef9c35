"""What goes over the wire when ratings are stored: bodies of requests and answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictInt

from igmc.web.schemas import Genre, Id, Rating, Strict, Year

__all__ = ["Appended", "Described", "NewItem", "StoredRating", "StoredRatings", "UserRatings", "Written"]

_Time = Annotated[StrictInt, Field(ge=-(2**62), le=2**62)]


class StoredRating(Rating):
    """What one person gave to one item, and when."""

    time: _Time | None = Field(None, description="Seconds since 1970 (UTC); now if not given.")


class UserRatings(Strict):
    """Ratings of one user; each takes the place of an earlier one of the same item, and others stay."""

    ratings: list[StoredRating] = Field(min_length=1, description="Each item once.")
    round: bool = Field(False, description="Round ratings between two levels of the scale to the nearest.")


class Described(Strict):
    """What is known of an item besides its ratings."""

    title: str = Field("", max_length=1000)
    genres: list[Genre] = Field([], max_length=50)
    year: Year | None = None


class NewItem(Described):
    """An item, which may be new, and what is known of it."""

    item_id: Id


class Appended(StoredRating):
    """A rating of some user."""

    user_id: Id


class StoredRatings(Strict):
    """Ratings of any users, and items that may be rated from then on; all of it is stored, or nothing."""

    ratings: list[Appended] = Field(
        [], description="In order; each replaces an earlier one of the same pair."
    )
    items: list[NewItem] = Field([], description="Stored before the ratings.")


class Written(Strict):
    """That something is stored, whatever happens next."""

    position: int = Field(description="Position of the last entry in the log.")
    entries: int = Field(description="Number of entries stored.")
    repeated: bool = Field(
        description="Whether an earlier request with the same Idempotency-Key stored them."
    )
