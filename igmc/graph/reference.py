"""What an enclosing subgraph is, in plain Python: slow, short, and the oracle of the kernel's tests."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from igmc.config import ExtractConfig
from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.subgraph import Subgraphs
from igmc.rng import below, fold, pair_key

__all__ = ["reference_subgraphs"]


def reference_subgraphs(
    graph: BipartiteGraph,
    user: ArrayLike,
    item: ArrayLike,
    config: ExtractConfig,
    *,
    seed: int,
    epoch: int = 0,
    user_limit: ArrayLike | None = None,
    item_limit: ArrayLike | None = None,
) -> Subgraphs:
    """The same as `igmc.graph.kernel.extract_subgraphs`, about a thousand times slower."""
    users, items = np.atleast_1d(user), np.atleast_1d(item)
    few_items, few_users = (
        [-1] * len(users) if limit is None else np.atleast_1d(limit).tolist()
        for limit in (user_limit, item_limit)
    )
    pairs = zip(users.tolist(), items.tolist(), few_items, few_users, strict=True)
    return Subgraphs.concat([_subgraph(graph, u, i, m, n, config, seed, epoch) for u, i, m, n in pairs])


def _subgraph(
    graph: BipartiteGraph,
    user: int,
    item: int,
    user_limit: int,
    item_limit: int,
    config: ExtractConfig,
    seed: int,
    epoch: int,
) -> Subgraphs:
    with np.errstate(over="ignore"):  # the hash wraps around by design
        key = pair_key(*(np.uint64(word) for word in (seed, epoch, user, item)))
        own, zero = [i for i, _ in _rated(graph, user, set())], np.uint64(0)
        hidden = {(user, i) for i in _dropped(own, item, user_limit, fold(fold(key, zero), zero))}
        own = [u for u, _ in _raters(graph, item, set())]
        hidden |= {(u, item) for u in _dropped(own, user, item_limit, fold(fold(key, zero), np.uint64(1)))}
        users, items = {user: 0}, {item: 1}  # node -> label, in node order
        seen_users, seen_items = {user}, {item}
        user_fringe, item_fringe = [user], [item]
        for hop in range(1, config.hops + 1):
            near_users = [u for i in item_fringe for u, _ in _raters(graph, i, hidden) if u not in seen_users]
            near_items = [i for u in user_fringe for i, _ in _rated(graph, u, hidden) if i not in seen_items]
            seen_users.update(near_users)
            seen_items.update(near_items)
            hop_key = fold(key, np.uint64(hop))
            user_fringe = _sample(near_users, config, fold(hop_key, np.uint64(0)))
            item_fringe = _sample(near_items, config, fold(hop_key, np.uint64(1)))
            users |= dict.fromkeys(user_fringe, 2 * hop)
            items |= dict.fromkeys(item_fringe, 2 * hop + 1)
    position = {i: k for k, i in enumerate(items)}
    hidden.add((user, item))
    rows = [[(position[i], level) for i, level in _rated(graph, u, hidden) if i in items] for u in users]
    edges = [edge for row in rows for edge in row]
    return Subgraphs(
        user=np.array([user], np.int32),
        item=np.array([item], np.int32),
        user_ptr=np.array([0, len(users)], np.int64),
        item_ptr=np.array([0, len(items)], np.int64),
        edge_ptr=np.array([0, len(edges)], np.int64),
        user_id=np.array(list(users), np.int32),
        user_label=np.array(list(users.values()), np.uint8),
        item_id=np.array(list(items), np.int32),
        item_label=np.array(list(items.values()), np.uint8),
        degree=np.array([len(row) for row in rows], np.int32),
        edge_item=np.array([i for i, _ in edges], np.int32),
        edge_level=np.array([level for _, level in edges], np.uint8),
    )


def _rated(graph: BipartiteGraph, user: int, hidden: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """The (item, level) of a user's ratings that are not hidden, by level, then item."""
    row = slice(graph.user_ptr[user], graph.user_ptr[user + 1])
    rated = zip(graph.user_items[row].tolist(), graph.user_levels[row].tolist(), strict=True)
    return [(i, level) for i, level in rated if (user, i) not in hidden]


def _raters(graph: BipartiteGraph, item: int, hidden: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """The (user, level) of an item's ratings that are not hidden, by level, then user."""
    row = slice(graph.item_ptr[item], graph.item_ptr[item + 1])
    raters = zip(graph.item_users[row].tolist(), graph.item_levels[row].tolist(), strict=True)
    return [(u, level) for u, level in raters if (u, item) not in hidden]


def _dropped(row: list[int], other: int, limit: int, key: np.uint64) -> set[int]:
    """Those of a target's neighbours that its limit hides; the other target does not count as one."""
    neighbours = [node for node in row if node != other]
    if not 0 <= limit < len(neighbours):
        return set()
    return set(neighbours) - set(_drawn(neighbours, limit, key))


def _sample(candidates: Iterable[int], config: ExtractConfig, key: np.uint64) -> list[int]:
    """A uniform choice, ascending: the first draws of a Fisher-Yates shuffle in the order of discovery."""
    chosen = list(dict.fromkeys(candidates))
    size = len(chosen)
    keep = int(config.sample_ratio * size)
    if config.max_nodes_per_hop is not None:
        keep = min(keep, config.max_nodes_per_hop)
    return sorted(_drawn(chosen, keep, key) if keep < size else chosen)


def _drawn(nodes: list[int], keep: int, key: np.uint64) -> list[int]:
    """A uniform choice: the first `keep` of the nodes, after as many steps of a Fisher-Yates shuffle."""
    chosen = list(nodes)
    for k in range(keep):
        swap = k + int(below(key, np.uint64(k), np.uint64(len(chosen) - k)))
        chosen[k], chosen[swap] = chosen[swap], chosen[k]
    return chosen[:keep]
