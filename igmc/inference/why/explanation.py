"""Why a pair gets its prediction: its neighbours and their ratings, the most telling first; text and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from igmc.ratings import RawId

__all__ = ["ExplainedEdge", "ExplainedNode", "Explanation"]


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
class Explanation:
    """A prediction and the ratings that it was read off.

    Attributes:
        score: the prediction, within the scale.
        prediction: the same before it is moved into the scale; importance refers to it.
        source: "model"; or the damped mean that stands in where there is no neighbourhood, and then there are
            no ratings here: see `igmc.inference.predictions.Predictions`.
        method: "occlusion" or "gradient"; see `igmc.networks.rgcn.importance`.
        users: the user asked for, then those who rated the item, the most important such rating first.
        items: the item asked for, then those that the user rated, the most important such rating first.
        edges: the ratings among these that are read, the most important first; never that of the pair itself.
        n_users, n_items, n_ratings: what the whole subgraph holds, the pair's own two nodes included; all of
            its samples together, where each checkpoint reads one of its own.
        n_considered: how many ratings of the pair's user and item were considered for `users` and `items`.
        n_links: how many there are.
        known: what the user is known to have given the item, which is not looked at; None if nothing.
        levels: the ratings of the scale.
    """

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
    known: float | None
    levels: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types: nodes with their roles, and edges by raw ids with importance and what is left.

        ``without`` is what would be predicted without a rating, not moved into the scale; by gradient, to
        first order.
        """
        sides = (("user", self.users), ("item", self.items))
        return {
            "user_id": self.users[0].id,
            "item_id": self.items[0].id,
            "title": self.items[0].title,
            "score": round(self.score, 4),
            "prediction": round(self.prediction, 4),
            "source": self.source,
            "method": self.method,
            "known_rating": self.known,
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
        """What weighs most among the raters shown, in words; every number is exact among these."""
        item = self.item_label(0)
        if self.source != "model":
            mean = _mean_of(self.source, self.user_label(0), item)
            return f"There is no neighbourhood to read a rating off, so that {mean} stands in."
        raters = {edge.user: edge for edge in self.edges if edge.item == 0}
        if not raters:
            return ""
        weight = dict.fromkeys((edge.rating for edge in raters.values()), 0.0)
        for edge in raters.values():
            weight[edge.rating] += abs(edge.importance)
        rating = max(weight, key=lambda value: (weight[value], value))
        people = {user for user, edge in raters.items() if edge.rating == rating}
        liked, agreed = "", self._agreed(people)
        if agreed:
            own = {edge.item: edge.rating for edge in self.edges if edge.user == 0}
            people = set.intersection(*(agreed[at] for at in agreed))
            given = _given([(self.item_label(at), own[at]) for at in agreed])
            liked = f" who, like {self.user_label(0)}, gave {given}"
        effect = sum(raters[user].importance for user in people)
        verb = "raises" if effect > 0 else "lowers"
        who = f"{_count(len(people))}{liked} gave {item} {rating:g}"
        return f"Of those who matter most, {who}, which {verb} the prediction."

    def format(self) -> str:
        """For people: the prediction, the sentence, and the neighbours of both sides as tables."""
        user, item = self.user_label(0), self.item_label(0)
        moved = "" if self.score == self.prediction else f" ({self.prediction:.2f} before it is clipped)"
        lines = [f"{item}, {user}: {self.score:.2f}{moved}, {self.origin()}"]
        if self.known is not None:
            lines.append(f"{user} gave it {self.known:g}, which was not looked at")
        lines += ["", self.sentence()] if self.sentence() else []
        for title, side in ((f"who rated {item}", 0), (f"what {user} rated", 1)):
            links = sorted(
                (e for e in self.edges if (e.item, e.user)[side] == 0), key=lambda e: -abs(e.importance)
            )
            if not links:
                continue
            names = [(self.user_label(e.user), self.item_label(e.item))[side] for e in links]
            width = max(map(len, (title, *names)))
            lines += ["", f"{title.ljust(width)}  rating  importance  without it"]
            lines += [
                f"{name.ljust(width)}  {edge.rating:6g}  {edge.importance:+10.3f}  "
                f"{self.prediction - edge.importance:10.2f}"
                for name, edge in zip(names, links, strict=True)
            ]
        return "\n".join(lines)

    def origin(self) -> str:
        """What the prediction was read off, in words: how many ratings, or which mean."""
        if self.source != "model":
            return f"a damped {self.source}"
        return f"from {self.n_ratings:,} ratings by {self.n_users:,} users of {self.n_items:,} items"

    def user_label(self, at: int) -> str:
        """How a user is called in text and figures."""
        found = self.users[at].id
        return "the new user" if found is None else _plain(f"user {found}")

    def item_label(self, at: int) -> str:
        """How an item is called in text and figures: by its title where it is known."""
        return _plain(self.items[at].title or f"item {self.items[at].id}")

    def _agreed(self, people: set[int]) -> dict[int, set[int]]:
        """Up to two items, and who of some people gave them just what the user asked for gave them."""
        own = {edge.item: edge for edge in self.edges if edge.user == 0}
        same: dict[int, set[int]] = {}
        for edge in self.edges:
            if edge.user in people and edge.item in own and edge.rating == own[edge.item].rating:
                same.setdefault(edge.item, set()).add(edge.user)
        found: dict[int, set[int]] = {}
        while same and len(found) < 2:
            item = max(same, key=lambda at: (len(same[at]), abs(own[at].importance), -at))
            found[item] = together = same.pop(item)
            same = {at: who & together for at, who in same.items() if who & together}
        return found


def _mean_of(source: str, user: str, item: str) -> str:
    means = {"user mean": f"the mean of what {user} gave", "item mean": f"the mean of what {item} got"}
    return f"{means[source]}, damped," if source in means else "the mean of all ratings"


def _given(liked: Sequence[tuple[str, float]]) -> str:
    """'5 to X and Y', or '5 to X and 4 to Y'."""
    (first, rating), *rest = liked
    if not rest:
        return f"{rating:g} to {first}"
    ((second, other),) = rest
    return f"{rating:g} to {first} and {second if other == rating else f'{other:g} to {second}'}"


def _count(people: int) -> str:
    return "one person" if people == 1 else f"{people} people"


def _plain(text: str) -> str:
    """A title may hold anything, and a terminal obeys control characters."""
    return "".join(c if c.isprintable() else "?" for c in text)
