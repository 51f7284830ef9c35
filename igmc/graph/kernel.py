"""Enclosing subgraphs at speed: a Numba kernel that releases the GIL and equals `igmc.graph.reference`.

For each pair it marks the kept nodes in two arrays over all users and items, then reads the rating rows of
the kept users once. The inner loop writes every rating and advances only past those whose item is kept, so
it has no branch to mispredict.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.compiled import inner, kernel
from igmc.config import ExtractConfig
from igmc.errors import ConfigError
from igmc.graph.arguments import checked_limits, checked_pairs
from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.serving import Rows, ServingGraph
from igmc.graph.subgraph import Subgraphs
from igmc.rng import below, fold, pair_key

__all__ = ["extract_subgraphs"]

UNSEEN, LEFT_OUT = -1, -2  # marks of nodes without a position in the subgraph
NO_CAP = 2**62
ZERO = np.uint64(0)  # where hops are counted from 1: the key of what is drawn before the first


def extract_subgraphs(
    graph: BipartiteGraph | ServingGraph,
    user: ArrayLike,
    item: ArrayLike,
    config: ExtractConfig,
    *,
    seed: int,
    epoch: int = 0,
    user_limit: ArrayLike | None = None,
    item_limit: ArrayLike | None = None,
) -> Subgraphs:
    """Cut the h-hop enclosing subgraph of each (user, item) pair out of the rating graph.

    From both ends at once, the users near the item and the items near the user are added hop by hop, never
    revisiting; each hop is thinned to ``sample_ratio`` of its nodes and to ``max_nodes_per_hop`` on each
    side, by draws that depend on (seed, epoch, user, item) alone. All ratings among the kept nodes are kept,
    except the pair's own (Zhang & Chen, ICLR 2020). Safe to call from many threads.

    Args:
        graph: the known ratings, as they are or with others laid over them.
        user, item: int [P], dense indices of the pairs, rated or not.
        config: hops, cap and sample ratio.
        seed: of the sampling, 0 or more.
        epoch: 0 or more; another draws other samples. In scoring, the place of the checkpoint.
        user_limit, item_limit: int [P], how many of its other ratings the target user, or item, shows: a
            uniform choice, the rest being as if not there. All of them where negative, or if None.

    Raises:
        DataError: if a pair is not in the graph's index range, not of whole numbers, or the pairs and limits
            differ in number.
        ConfigError: on a seed or epoch out of range.
    """
    users, items = checked_pairs(graph, user, item)
    if min(seed, epoch) < 0 or max(seed, epoch) >= 2**64:
        raise ConfigError("seed or epoch is out of range", got=(seed, epoch), allowed="0..2**64 - 1")
    by_user, by_item = (graph.by_user, graph.by_item) if isinstance(graph, ServingGraph) else Rows.of(graph)
    limits = [checked_limits(*side, len(users)) for side in (("user", user_limit), ("item", item_limit))]
    cap = NO_CAP if config.max_nodes_per_hop is None else config.max_nodes_per_hop
    sampling = _Sampling(config.hops, cap, config.sample_ratio, np.uint64(seed), np.uint64(epoch))
    return Subgraphs(users, items, *_extract(by_user, by_item, _Pairs(users, items, *limits), sampling))


class _Pairs(NamedTuple):
    """P pairs, and how many of its ratings each target shows, all of them if negative."""

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    user_limit: NDArray[np.int64]
    item_limit: NDArray[np.int64]


class _Sampling(NamedTuple):
    """How each hop is thinned."""

    hops: int
    cap: int
    ratio: float
    seed: np.uint64
    epoch: np.uint64


@kernel
def _extract(by_user, by_item, pairs, sampling):
    """What `Subgraphs` holds beside the pairs; see `extract_subgraphs`.

    Args:
        by_user, by_item: `Rows`, taken apart here: handing seven arrays over row by row was slow.
        pairs, sampling: `_Pairs`, `_Sampling`.
    """
    user_ptr, user_items, user_levels, all_users, user_patch = by_user
    item_ptr, item_users, item_levels, all_items, item_patch = by_item
    users, items, user_limit, item_limit = pairs
    hops, cap, ratio, seed, epoch = sampling
    count = len(users)
    user_at = np.full(all_users, UNSEEN, np.int32)  # position in the subgraph, or a mark
    item_at = np.full(all_items, UNSEEN, np.int32)
    seen_users, seen_items = np.empty(all_users, np.int32), np.empty(all_items, np.int32)
    user_end, item_end = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
    edge_end = np.zeros(count + 1, np.int64)
    user_id, user_label = np.empty(64 * count, np.int32), np.empty(64 * count, np.uint8)
    item_id, item_label = np.empty(64 * count, np.int32), np.empty(64 * count, np.uint8)
    degree = np.empty(len(user_id), np.int32)
    edge_item, edge_level = np.empty(1024 * count, np.int32), np.empty(1024 * count, np.uint8)

    for p in range(count):
        key = pair_key(seed, epoch, np.uint64(users[p]), np.uint64(items[p]))
        u0, u1, i0, i1 = user_end[p], user_end[p] + 1, item_end[p], item_end[p] + 1
        user_id, user_label = _room(user_id, u1), _room(user_label, u1)
        item_id, item_label = _room(item_id, i1), _room(item_label, i1)
        user_id[u0], user_label[u0], user_at[users[p]], seen_users[0] = users[p], 0, 0, users[p]
        item_id[i0], item_label[i0], item_at[items[p]], seen_items[0] = items[p], 1, 0, items[p]
        n_users, n_items = 1, 1  # seen
        user_fringe, item_fringe = u0, i0
        few_items, own_items, own_levels = _shown(
            users[p], items[p], user_limit[p], fold(fold(key, ZERO), np.uint64(0)),
            user_ptr, user_items, user_levels, user_patch,
        )  # fmt: skip
        few_users, own_users, _ = _shown(
            items[p], users[p], item_limit[p], fold(fold(key, ZERO), np.uint64(1)),
            item_ptr, item_users, item_levels, item_patch,
        )  # fmt: skip
        for hop in range(1, hops + 1):
            user_start, item_start = n_users, n_items
            if hop == 1 and few_users:
                n_users = _discover(own_users, 0, len(own_users), user_at, seen_users, n_users)
            else:
                near = item_id[item_fringe:i1]
                n_users = _spread(near, item_ptr, item_users, item_patch, user_at, seen_users, n_users)
            if hop == 1 and few_items:
                n_items = _discover(own_items, 0, len(own_items), item_at, seen_items, n_items)
            else:
                near = user_id[user_fringe:u1]
                n_items = _spread(near, user_ptr, user_items, user_patch, item_at, seen_items, n_items)
            if n_users == user_start and n_items == item_start:
                break
            user_fringe, item_fringe = u1, i1
            hop_key = fold(key, np.uint64(hop))
            near = seen_users[user_start:n_users]
            user_id, u1 = _keep(near, ratio, cap, fold(hop_key, np.uint64(0)), user_id, u1)
            near = seen_items[item_start:n_items]
            item_id, i1 = _keep(near, ratio, cap, fold(hop_key, np.uint64(1)), item_id, i1)
            user_label, item_label = _room(user_label, u1), _room(item_label, i1)
            for k in range(user_fringe, u1):
                user_label[k] = 2 * hop
                user_at[user_id[k]] = k - u0
            for k in range(item_fringe, i1):
                item_label[k] = 2 * hop + 1
                item_at[item_id[k]] = k - i0
        degree = _room(degree, u1)
        end = edge_end[p]
        for k in range(u0, u1):
            first, last, patched = _row(user_id[k], user_ptr, user_patch)
            start = end
            room = end + last - first
            edge_item, edge_level = _room(edge_item, room), _room(edge_level, room)
            if user_label[k] != 2:
                # The pair's own edge is never in its own subgraph. Whoever else is not among the first hop's
                # users has not rated the target item, or the limit hides that rating.
                item_at[items[p]] = LEFT_OUT
            if k == u0 and few_items:
                end = _copy(own_items, own_levels, 0, len(own_items), item_at, edge_item, edge_level, end)
            elif patched:
                near, levels = user_patch.neighbours, user_patch.levels
                end = _copy(near, levels, first, last, item_at, edge_item, edge_level, end)
            else:
                end = _copy(user_items, user_levels, first, last, item_at, edge_item, edge_level, end)
            item_at[items[p]] = 0
            degree[k] = end - start
        user_end[p + 1], item_end[p + 1], edge_end[p + 1] = u1, i1, end
        for k in range(n_users):
            user_at[seen_users[k]] = UNSEEN
        for k in range(n_items):
            item_at[seen_items[k]] = UNSEEN

    u1, i1, end = user_end[count], item_end[count], edge_end[count]
    return (
        user_end,
        item_end,
        edge_end,
        user_id[:u1],
        user_label[:u1],
        item_id[:i1],
        item_label[:i1],
        degree[:u1],
        edge_item[:end],
        edge_level[:end],
    )


@inner
def _row(node, ptr, patch):
    """Where the row of a node stands, from first to last, and whether in the patch."""
    if len(patch.nodes):
        k = np.searchsorted(patch.nodes, node)
        if k < len(patch.nodes) and patch.nodes[k] == node:
            return patch.ptr[k], patch.ptr[k + 1], True
    return ptr[node], ptr[node + 1], False


@inner
def _shown(node, other, limit, key, ptr, neighbours, levels, patch):
    """Whether a target shows but some of its ratings; if so, their neighbours and levels in the row's order.

    The rating of the other target is none of them, nor does it count.
    """
    if limit >= 0:
        first, last, patched = _row(node, ptr, patch)
        if patched:
            neighbours, levels = patch.neighbours, patch.levels
        at = np.empty(last - first, np.int64)
        size = 0
        for e in range(first, last):
            if neighbours[e] != other:
                at[size] = e
                size += 1
        if limit < size:
            _draw(at[:size], limit, key)
            at = at[:limit]
            at.sort()
            return True, neighbours[at], levels[at]
    return False, np.empty(0, np.int32), np.empty(0, np.uint8)


@inner
def _spread(fringe, ptr, neighbours, patch, at, seen, count):
    """Append the unseen neighbours of the fringe to `seen`; returns how many are seen now."""
    for node in fringe:
        first, last, patched = _row(node, ptr, patch)
        if patched:
            count = _discover(patch.neighbours, first, last, at, seen, count)
        else:
            count = _discover(neighbours, first, last, at, seen, count)
    return count


@inner
def _discover(neighbours, first, last, at, seen, count):
    for e in range(first, last):
        other = neighbours[e]
        if at[other] == UNSEEN:
            at[other] = LEFT_OUT
            seen[count] = other
            count += 1
    return count


@inner
def _copy(items, levels, first, last, item_at, edge_item, edge_level, end):
    """Write the kept ratings of a row from `end` on; returns the new end."""
    for e in range(first, last):
        at = item_at[items[e]]
        edge_item[end] = at
        edge_level[end] = levels[e]
        end += at >= 0
    return end


@inner
def _keep(near, ratio, cap, key, nodes, end):
    """Append a uniform choice of `near`, ascending, to `nodes` at `end`; returns `nodes` and its new end.

    Shuffles `near` itself, and sorts only what is kept: a popular item has many thousand users.
    """
    size = len(near)
    keep = min(int(ratio * size), cap)
    if keep < size:
        _draw(near, keep, key)
    nodes = _room(nodes, end + keep)
    chosen = nodes[end : end + keep]
    chosen[:] = near[:keep]
    chosen.sort()
    return nodes, end + keep


@inner
def _draw(nodes, keep, key):
    """Put a uniform choice of `keep` nodes first: that many steps of a Fisher-Yates shuffle."""
    for k in range(keep):
        swap = k + np.int64(below(key, np.uint64(k), np.uint64(len(nodes) - k)))
        nodes[k], nodes[swap] = nodes[swap], nodes[k]


@inner
def _room(array: Any, size: int) -> Any:
    """The array itself if it holds more than `size`, else a copy with at least twice the room."""
    if size < len(array):
        return array
    larger = np.empty(2 * size + 64, array.dtype)
    larger[: len(array)] = array
    return larger
