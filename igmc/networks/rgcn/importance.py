"""Importance of single ratings of a subgraph for its prediction, by occlusion or by the gradient.

Both are in units of ratings, and positive where the rating raises the prediction.

- Occlusion: the prediction less what it would be without the rating. The subgraph is cut again from its own
  ratings less that one: a neighbour that no path leads to any more leaves with it, and so do all its ratings.
  Where no cap has thinned the subgraph, this is the prediction on a graph that never had the rating. Where
  one has, the neighbours that were drawn stay, so that the luck of another draw is no part of the difference.
- Gradient: the derivative of the prediction with respect to what the rating counts (see
  `igmc.models.igmc.IGMC.forward`), a first-order estimate for all ratings at once. Its neighbours stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import inf

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.config import ExtractConfig
from igmc.graph import BipartiteGraph, ServingGraph, Subgraphs, extract_subgraphs
from igmc.networks.rgcn.scoring import PIECE, Scorer

__all__ = ["edge_users", "gradients", "occlusion"]

Floats = NDArray[np.float32]


def occlusion(
    scorer: Scorer, subgraph: Subgraphs, edges: ArrayLike | None = None, *, deadline: float = inf
) -> Floats:
    """The mean prediction of a pair less those without each of n ratings, float32 [n], not clipped.

    The perturbed subgraphs are scored in batches.

    Args:
        scorer: the models.
        subgraph: of one pair, one of those that `Scorer.cut` gives.
        edges: int [n], the ratings to leave out, one at a time, in 0..n_edges-1; all of them if None.
        deadline: on the clock of `time.monotonic`.

    Raises:
        TimeoutError: if it has passed before a part.
    """
    chosen = np.arange(subgraph.n_edges) if edges is None else np.asarray(edges, np.int64)
    scores = scorer.read(_perturbed(subgraph, chosen, scorer.extract.hops), deadline=deadline)
    mean = scores.mean(axis=0)
    differences: Floats = mean[0] - mean[1:]
    return differences


def gradients(scorer: Scorer, subgraph: Subgraphs) -> Floats:
    """The gradient of the mean prediction of a pair on the weight of each of its E ratings, float32 [E]."""
    return scorer.gradients(subgraph)


def edge_users(subgraph: Subgraphs) -> NDArray[np.int64]:
    """The position, among the user nodes of one subgraph, of each rating's user, int64 [E]."""
    return np.repeat(np.arange(len(subgraph.user_id)), subgraph.degree)


def _perturbed(subgraph: Subgraphs, edges: NDArray[np.int64], hops: int) -> Iterator[Subgraphs]:
    """The subgraph itself, then those without each rating; in parts of at most `PIECE`."""
    # Nodes are numbered by ascending index, so that nodes and ratings keep their order.
    user_ids, item_ids = np.sort(subgraph.user_id), np.sort(subgraph.item_id)
    user = np.searchsorted(user_ids, subgraph.user_id)
    item = np.searchsorted(item_ids, subgraph.item_id)
    users, items = user[edge_users(subgraph)], item[subgraph.edge_item]
    graph = ServingGraph.of(
        BipartiteGraph.from_ratings(
            users,
            items,
            subgraph.edge_level,
            n_users=len(user),
            n_items=len(item),
            n_levels=int(subgraph.edge_level.max(initial=0)) + 1,
        )
    )
    whole = ExtractConfig(hops=hops, max_nodes_per_hop=None, sample_ratio=1.0)
    part = [subgraph]
    for edge in edges.tolist():
        view = graph.without(int(users[edge]), int(items[edge]))
        cut = extract_subgraphs(view, [user[0]], [item[0]], whole, seed=0)
        part.append(replace(cut, user=subgraph.user, item=subgraph.item))
        if len(part) == PIECE:
            yield Subgraphs.concat(part)
            part = []
    if part:
        yield Subgraphs.concat(part)
