"""What a panel of a subgraph figure shows: a pair, its neighbours, and the ratings among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from igmc.inference.why import ExplainedEdge, Explanation

__all__ = ["SubgraphPanel", "explanation_panel"]


@dataclass(frozen=True)
class SubgraphPanel:
    """One pair and its neighbours.

    Attributes:
        title: above the panel.
        users, items: labels; the first of each is the pair's own, the others the most important first.
        edges: ratings among them.
        levels: the ratings of the scale, ascending.
        score: what is predicted; None where the panel shows something else.
        measure: what the widths of the lines stand for.
    """

    title: str
    users: Sequence[str]
    items: Sequence[str]
    edges: Sequence[ExplainedEdge]
    levels: Sequence[float]
    score: float | None = None
    measure: str = "importance"


def explanation_panel(explanation: Explanation, title: str | None = None) -> SubgraphPanel:
    """The panel of an explanation.

    Args:
        explanation: what is to be drawn.
        title: above the panel; if None, the prediction and what it was read off.
    """
    if title is None:
        title = f"{explanation.score:.2f} predicted, {explanation.origin()}"
        if explanation.known is not None:
            title += f" ({explanation.known:g} given, not looked at)"
    return SubgraphPanel(
        title=title,
        users=tuple(explanation.user_label(at) for at in range(len(explanation.users))),
        items=tuple(explanation.item_label(at) for at in range(len(explanation.items))),
        edges=explanation.edges,
        levels=explanation.levels,
        score=explanation.score,
    )
