"""Which ratings of the enclosing subgraph of a pair an explanation shows, and how much they matter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from igmc.config import ExplainConfig
from igmc.graph import ServingGraph
from igmc.networks.neighbourhood import Neighbourhood
from igmc.networks.rgcn.importance import edge_users, gradients, occlusion
from igmc.networks.rgcn.scoring import Scorer

__all__ = ["read_off"]


def read_off(
    scorer: Scorer, graph: ServingGraph, target: int, asked: int, config: ExplainConfig, deadline: float
) -> Neighbourhood:
    """What matters most of the subgraph of a pair; see `igmc.networks.network.Network.neighbourhood`."""
    near = _Samples(scorer, graph, target, asked)
    user, rated = near.user, near.item
    links = np.flatnonzero((user == target) | (rated == asked))
    exact = config.method == "occlusion"
    considered = links
    if not exact or len(links) > config.limit:
        importance = near.gradients()
        if exact:
            considered = np.sort(_largest(importance, links)[: config.limit])
    if exact:
        importance = near.occlusion(considered, deadline)
    ranked = _largest(importance, considered)
    users = np.append(target, user[ranked[rated[ranked] == asked]][: config.top])
    items = np.append(asked, rated[ranked[user[ranked] == target]][: config.top])
    shown = np.flatnonzero(np.isin(user, users) & np.isin(rated, items))
    if exact:
        importance += near.occlusion(np.setdiff1d(shown, considered), deadline)
    at_user, at_item = np.argsort(users), np.argsort(items)  # positions in ascending order of nodes
    shown = _largest(importance, shown)
    return Neighbourhood(
        users[1:].tolist(),
        items[1:].tolist(),
        list(
            zip(
                at_user[np.searchsorted(users[at_user], user[shown])].tolist(),
                at_item[np.searchsorted(items[at_item], rated[shown])].tolist(),
                near.level[shown].tolist(),
                importance[shown].tolist(),
                strict=True,
            )
        ),
        near.n_users,
        near.n_items,
        len(user),
        len(considered),
        len(links),
    )


class _Samples:
    """The ratings of all samples of one pair's subgraph that are read, each rating once, E in all.

    What a rating matters is the mean over the models, and nothing to those that do not read it.

    Attributes:
        user, item: int32 [E], dense indices, ascending.
        level: uint8 [E].
        n_users, n_items: nodes, the pair itself among them.
    """

    def __init__(self, scorer: Scorer, graph: ServingGraph, user: int, item: int) -> None:
        cut = scorer.cut(graph, [user], [item])
        readers = [scorer] if len(cut) == 1 else [scorer.only(k) for k in range(len(cut))]
        self._samples = list(zip(readers, cut, strict=True))
        users = np.concatenate([one.user_id[edge_users(one)] for one in cut])
        items = np.concatenate([one.item_id[one.edge_item] for one in cut])
        pairs = users.astype(np.int64) << 32 | items
        _, first, place = np.unique(pairs, return_index=True, return_inverse=True)
        self.user, self.item = users[first], items[first]
        self.level = np.concatenate([one.edge_level for one in cut])[first]
        self._places = np.split(place, np.cumsum([one.n_edges for one in cut])[:-1])
        self.n_users = len(np.unique(np.concatenate([one.user_id for one in cut])))
        self.n_items = len(np.unique(np.concatenate([one.item_id for one in cut])))

    def gradients(self) -> NDArray[np.float32]:
        """See `igmc.networks.rgcn.importance.gradients`, float32 [E]."""
        total = np.zeros(len(self.user), np.float32)
        for (reader, subgraph), place in zip(self._samples, self._places, strict=True):
            total[place] += gradients(reader, subgraph)
        return total / np.float32(len(self._samples))

    def occlusion(self, edges: NDArray[np.int64], deadline: float) -> NDArray[np.float32]:
        """See `igmc.networks.rgcn.importance.occlusion`, float32 [E]; 0 for all but these ratings."""
        total = np.zeros(len(self.user), np.float32)
        for (reader, subgraph), place in zip(self._samples, self._places, strict=True):
            there = np.flatnonzero(np.isin(place, edges))
            if len(there):
                total[place[there]] += occlusion(reader, subgraph, there, deadline=deadline)
        return total / np.float32(len(self._samples))


def _largest(importance: NDArray[np.float32], edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """The edges by falling absolute importance; equal ones by user and item."""
    return edges[np.argsort(-np.abs(importance[edges]), kind="stable")]
