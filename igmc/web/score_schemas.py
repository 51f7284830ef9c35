"""What goes over the wire of items and their scores: those that are listed, and those that are asked."""

from __future__ import annotations

from pydantic import Field

from igmc.web.schemas import Armed, Asker, Because, Id, Item, Score

__all__ = ["ItemScore", "ListAnswer", "ListedItem", "ScoreAnswer", "ScoreRequest"]

MANY = 1000  # items whose scores are asked


class ScoreRequest(Asker):
    """Whose predictions for which items."""

    item_ids: list[Id] = Field(min_length=1, max_length=MANY, description="Known ones or not, in any order.")


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
        None, description="How far the prediction, not clipped, is above `usual`; to 4 places."
    )
    usual: float | None = Field(
        None, description="What everybody gives the item: a damped mean of its ratings."
    )
    because: Because | None = Field(None, description="Asked for by `because`; None where nothing does.")


class ListAnswer(Armed):
    """A list, by falling score or lift."""

    items: list[ListedItem]
    reason: str = Field(description="Why there are fewer than k; empty if there are k.")
    rated: int = Field(description="How many ratings are known of the user.")
    scored: int = Field(description="How many items the models were asked about.")
