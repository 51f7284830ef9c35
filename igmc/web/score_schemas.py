"""What goes over the wire when the scores of given items are asked."""

from __future__ import annotations

from pydantic import Field

from igmc.web.schemas import Armed, Asker, Id, Score

__all__ = ["ItemScore", "ScoreAnswer", "ScoreRequest"]

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
