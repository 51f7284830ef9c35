"""The explanation of a prediction: neighbours and their ratings, most important first, as text and JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from igmc.inference.titles import natural_title
from igmc.ratings import RawId
from igmc.short_repr import short_repr

__all__ = ["ExplainedEdge", "ExplainedNode", "Explanation", "Interval"]

NAMED = 3  # ratings that the sentence tells of, at most


@dataclass(frozen=True)
class ExplainedNode:
    """A user or an item of an explanation.

    Attributes:
        id: the raw id; None for a new user without one.
        title: of an item, empty where unknown; empty for users.
    """

    id: RawId | None
    title: str = ""


@dataclass(frozen=True)
class ExplainedEdge:
    """A rating between a user and an item of an explanation.

    Attributes:
        user, item: positions among the users and items of the explanation; 0 is the one asked for.
        rating: on the scale.
        importance: signed, in units of ratings; or another weight.
    """

    user: int
    item: int
    rating: float
    importance: float


@dataclass(frozen=True)
class Interval:
    """Where a rating lies with a probability, its coverage; within the scale."""

    low: float
    high: float
    coverage: float


@dataclass(frozen=True)
class Explanation:
    """A prediction and the ratings that it depends on.

    Attributes:
        score: the prediction, clipped to the scale.
        prediction: the unclipped prediction, to which importances refer.
        source: "model", or the kind of damped mean for a pair without a neighbourhood, which has no ratings
            here; see `igmc.inference.predictions.Predictions`.
        method: "occlusion" or "gradient"; see `igmc.networks.rgcn.importance`.
        users: the user asked for, then those who rated the item, the most important such rating first.
        items: the item asked for, then those that the user rated, the most important such rating first.
        edges: the ratings among these that are read, the most important first; never that of the pair itself.
        n_users, n_items, n_ratings: what the whole subgraph holds, the pair's own two nodes included; all of
            its samples together, where each checkpoint reads one of its own.
        n_considered: how many ratings of the pair's user and item were considered for `users` and `items`.
        n_links: how many there are.
        parts: the additive parts of the prediction, in ratings; empty if the network gives none.
        known: the known rating of the pair, which is not used; None if unknown.
        levels: the ratings of the scale.
        interval: around the prediction; None if the run gives none.
    """

    __repr__ = short_repr

    def __str__(self) -> str:
        return self.format()

    score: float
    prediction: float
    source: str
    method: str
    users: tuple[ExplainedNode, ...]
    items: tuple[ExplainedNode, ...]
    edges: tuple[ExplainedEdge, ...]
    n_users: int
    n_items: int
    n_ratings: int
    n_considered: int
    n_links: int
    parts: tuple[tuple[str, float], ...]
    known: float | None
    levels: tuple[float, ...]
    interval: Interval | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types: nodes with roles, and edges by raw ids with their importance.

        ``without`` is the unclipped prediction without a rating; by gradient, a first-order estimate.
        """
        sides = (("user", self.users), ("item", self.items))
        return {
            "user_id": self.users[0].id,
            "item_id": self.items[0].id,
            "title": self.items[0].title,
            "score": round(self.score, 4),
            "prediction": round(self.prediction, 4),
            "interval": None if self.interval is None else _rounded(self.interval),
            "source": self.source,
            "method": self.method,
            "known_rating": self.known,
            "parts": [{"part": name, "rating": round(value, 4)} for name, value in self.parts],
            "subgraph": {"users": self.n_users, "items": self.n_items, "ratings": self.n_ratings},
            "links": {"considered": self.n_considered, "all": self.n_links},
            "levels": list(self.levels),
            "nodes": [
                {"side": side, "id": node.id, "title": node.title, "role": "neighbour" if at else "target"}
                for side, nodes in sides
                for at, node in enumerate(nodes)
            ],
            "edges": [
                {
                    "user_id": self.users[edge.user].id,
                    "item_id": self.items[edge.item].id,
                    "rating": edge.rating,
                    "importance": round(edge.importance, 6),
                    "without": round(self.prediction - edge.importance, 4),
                }
                for edge in self.edges
            ],
            "text": self.sentence(),
        }

    def sentence(self) -> str:
        """The ratings of the pair's user and item that weigh most, whoever gave them; as the tables have it.

        Up to three, the most important first, each with its effect; empty if none has one that the tables
        show.
        """
        item = self.item_label(0)
        if self.source != "model":
            mean = _mean_of(self.source, self.user_label(0), item)
            return f"There is no neighbourhood to read a rating off, so that {mean} stands in."
        links = _by_importance(edge for edge in self.edges if 0 in (edge.user, edge.item))
        told = [edge for edge in links[:NAMED] if _effect(edge)[1:] != "0.000"]
        if not told:
            return ""
        effects = [
            f"{self.user_label(edge.user)}'s {edge.rating:g} for {self.item_label(edge.item)} "
            f"{'raises' if edge.importance > 0 else 'lowers'} {what} by {_effect(edge)[1:]}"
            for edge, what in zip(told, ("the prediction", "it", "it"), strict=False)
        ]
        return f"What weighs most: {'; '.join(effects)}."

    def format(self) -> str:
        """For people: the prediction, the sentence, and the neighbours of both sides as tables."""
        user, item = self.user_label(0), self.item_label(0)
        moved = "" if self.score == self.prediction else f" ({self.prediction:.2f} before it is clipped)"
        lines = [f"{item}, {user}: {self.score:.2f}{moved}, {self.origin()}"]
        if self.interval is not None:
            one = self.interval
            lines.append(f"between {one.low:.2f} and {one.high:.2f} with a probability of {one.coverage:.0%}")
        if self.known is not None:
            lines.append(f"{user} gave it {self.known:g}, which was not looked at")
        if self.parts:
            signs = ("", *["+"] * len(self.parts))
            terms = [
                f"{value:{sign}.2f} from the {name}"
                for sign, (name, value) in zip(signs, self.parts, strict=False)
            ]
            lines.append(f"made of {', '.join(terms)}")
        lines += ["", self.sentence()] if self.sentence() else []
        for title, side in ((f"who rated {item}", 0), (f"what {user} rated", 1)):
            links = _by_importance(edge for edge in self.edges if (edge.item, edge.user)[side] == 0)
            if not links:
                continue
            names = [(self.user_label(e.user), self.item_label(e.item))[side] for e in links]
            width = max(map(len, (title, *names)))
            lines += ["", f"{title.ljust(width)}  rating  importance  without it"]
            lines += [
                f"{name.ljust(width)}  {edge.rating:6g}  {_effect(edge):>10}  "
                f"{self.prediction - edge.importance:10.2f}"
                for name, edge in zip(names, links, strict=True)
            ]
        return "\n".join(lines)

    def origin(self) -> str:
        """The source of the prediction in words: how many ratings, or which mean."""
        if self.source != "model":
            return f"a damped {self.source}"
        return f"from {self.n_ratings:,} ratings by {self.n_users:,} users of {self.n_items:,} items"

    def user_label(self, at: int) -> str:
        """The name of a user in text and figures."""
        found = self.users[at].id
        return "the new user" if found is None else _plain(f"user {found}")

    def item_label(self, at: int) -> str:
        """The name of an item in text and figures: its title, if known, as people say it."""
        title = natural_title(self.items[at].title, year=True)
        return _plain(title or f"item {self.items[at].id}")


def _rounded(interval: Interval) -> dict[str, float]:
    return {name: round(value, 4) for name, value in asdict(interval).items()}


def _mean_of(source: str, user: str, item: str) -> str:
    means = {"user mean": f"the mean of what {user} gave", "item mean": f"the mean of what {item} got"}
    return f"{means[source]}, damped," if source in means else "the mean of all ratings"


def _by_importance(edges: Iterable[ExplainedEdge]) -> list[ExplainedEdge]:
    """The most important first; equal ones as they come."""
    return sorted(edges, key=lambda edge: -abs(edge.importance))


def _effect(edge: ExplainedEdge) -> str:
    """The importance as tables and sentence have it."""
    return f"{edge.importance:+.3f}"


def _plain(text: str) -> str:
    """A title may hold anything, and a terminal obeys control characters."""
    return "".join(c if c.isprintable() else "?" for c in text)
