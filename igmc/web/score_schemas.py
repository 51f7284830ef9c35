"""What goes over the wire of items and their scores: those that are listed, and those that are asked."""

from __future__ import annotations

from pydantic import Field

from igmc.web.schemas import Armed, Asker, Because, Id, Item, Score

__all__ = ["ItemScore", "ListAnswer", "ListedItem", "ScoreAnswer", "ScoreRequest"]

MANY = 1000  # items whose scores are asked


class ScoreRequest(Asker):
    """Whose predictions for which items."""

    item_ids: list[Id] = Field(min_length=1, max_length=MANY, description="Known or unknown, in any order.")


class ItemScore(Score):
    """The prediction for one of the items that were asked."""

    item_id: Id


class ScoreAnswer(Armed):
    """A prediction for each item, in the order in which they were asked."""

    scores: list[ItemScore]


class ListedItem(Item):
    """One place of a list; without score, source, lift and usual rating where the run predicts no ratings."""

    rank: int
    score: float | None = Field(None, description="As in `Score`.")
    source: str | None = Field(None, description="As in `Score`.")
    low: float | None = Field(None, description="As in `Score`.")
    high: float | None = Field(None, description="As in `Score`.")
    lift: float | None = Field(
        None, description="How far the unclipped prediction exceeds `usual`; to 4 decimals."
    )
    usual: float | None = Field(None, description="The item's usual rating: the damped mean of its ratings.")
    because: Because | None = Field(
        None, description="If the request sets `because`; None if no rating supports the item."
    )


class ListAnswer(Armed):
    """A list, by falling score or lift."""

    items: list[ListedItem]
    reason: str = Field(description="Why there are fewer than k items; empty if there are k.")
    rated: int = Field(description="Number of known ratings of the user.")
    scored: int = Field(description="Number of items that the models scored.")
