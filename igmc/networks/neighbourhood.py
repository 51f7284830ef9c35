"""The part of a pair's neighbourhood that an explanation shows, by dense indices."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["NO_NEIGHBOURHOOD", "Neighbourhood"]


class Neighbourhood(NamedTuple):
    """The neighbours of a pair that an explanation shows.

    Attributes:
        users, items: dense indices of the neighbours.
        edges: positions among the users and items shown, 0 being the pair's own; level, importance.
        n_users, n_items, n_ratings, n_considered, n_links, parts: see
            `igmc.inference.why.explanation.Explanation`.
    """

    users: list[int]
    items: list[int]
    edges: list[tuple[int, int, int, float]]
    n_users: int
    n_items: int
    n_ratings: int
    n_considered: int
    n_links: int
    parts: tuple[tuple[str, float], ...] = ()


NO_NEIGHBOURHOOD = Neighbourhood([], [], [], 0, 0, 0, 0, 0)
