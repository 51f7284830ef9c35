"""Enclosing subgraphs at speed: a Numba kernel that releases the GIL and equals `igmc.graph.reference`.

For each pair it marks the kept nodes in arrays over all users and items, which each thread keeps, then reads
the rating rows of the kept users once. The inner loop writes every rating and advances only past those whose
item is kept, so it has no branch to mispredict. With one hop, the time of a pair grows neither with the graph
nor with the ratings of its item or user.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.compiled import kernel
from igmc.config import ExtractConfig
from igmc.errors import ConfigError
from igmc.graph.arguments import checked_limits, checked_pairs
from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.row_kernels import (
    LEFT_OUT,
    UNSEEN,
    choose,
    copy,
    copy_rows,
    discover,
    keep,
    pick,
    room,
    row,
    shown,
    spans,
    spread,
)
from igmc.graph.scratch import KEPT
from igmc.graph.serving import Rows, ServingGraph
from igmc.graph.subgraph import Subgraphs
from igmc.rng import fold, pair_key

__all__ = ["extract_subgraphs"]

NO_CAP = 2**62
LONG = 256  # times as many ratings as there are kept items: a row in which these are looked up
MANY = 2**20  # ratings that are read at once, with room for all of them
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
    scratch = KEPT.taken(config.hops, by_user.size, by_item.size)
    found = _extract(by_user, by_item, _Pairs(users, items, *limits), sampling, scratch)
    KEPT.scratch = scratch
    return Subgraphs(users, items, *found)


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
def _extract(by_user, by_item, pairs, sampling, scratch):
    """What `Subgraphs` holds beside the pairs; see `extract_subgraphs`.

    Args:
        by_user, by_item: `Rows`, taken apart here: handing seven arrays over row by row was slow.
        pairs, sampling, scratch: `_Pairs`, `_Sampling`, `Scratch`.
    """
    user_ptr, user_items, user_levels, _, user_patch = by_user
    item_ptr, item_users, item_levels, _, item_patch = by_item
    users, items, user_limit, item_limit = pairs
    hops, cap, ratio, seed, epoch = sampling
    count = len(users)
    user_at, item_at, seen_users, seen_items = scratch
    user_end, item_end = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
    edge_end = np.zeros(count + 1, np.int64)
    user_id, user_label = np.empty(64 * count, np.int32), np.empty(64 * count, np.uint8)
    item_id, item_label = np.empty(64 * count, np.int32), np.empty(64 * count, np.uint8)
    degree = np.empty(len(user_id), np.int32)
    edge_item, edge_level = np.empty(1024 * count, np.int32), np.empty(1024 * count, np.uint8)
    starts = np.empty(64, np.int64)

    for p in range(count):
        key = pair_key(seed, epoch, np.uint64(users[p]), np.uint64(items[p]))
        u0, u1, i0, i1 = user_end[p], user_end[p] + 1, item_end[p], item_end[p] + 1
        user_id, user_label = room(user_id, u1), room(user_label, u1)
        item_id, item_label = room(item_id, i1), room(item_label, i1)
        user_id[u0], user_label[u0], seen_users[0] = users[p], 0, users[p]
        item_id[i0], item_label[i0], item_at[items[p]], seen_items[0] = items[p], 1, 0, items[p]
        if hops > 1:
            user_at[users[p]] = 0
        n_users, n_items = 1, 1  # seen
        user_fringe, item_fringe = u0, i0
        few_items, own_items, own_levels = shown(
            users[p], items[p], user_limit[p], fold(fold(key, ZERO), np.uint64(0)),
            user_ptr, user_items, user_levels, user_patch,
        )  # fmt: skip
        few_users, own_users, their_levels = shown(
            items[p], users[p], item_limit[p], fold(fold(key, ZERO), np.uint64(1)),
            item_ptr, item_users, item_levels, item_patch,
        )  # fmt: skip
        if hops == 1:  # nothing is found but neighbours of the targets, which need no marks to be found once
            hop_key = fold(key, np.uint64(1))
            first, last, patched = row(items[p], item_ptr, item_patch)
            if few_users:
                near, levels, first, last = own_users, their_levels, 0, len(own_users)
            elif patched:
                near, levels = item_patch.neighbours, item_patch.levels
            else:
                near, levels = item_users, item_levels
            user_id, u1 = choose(
                near, levels, first, last, users[p], ratio, cap, fold(hop_key, np.uint64(0)), user_id, u1
            )
            first, last, patched = row(users[p], user_ptr, user_patch)
            if few_items:
                near, levels, first, last = own_items, own_levels, 0, len(own_items)
            elif patched:
                near, levels = user_patch.neighbours, user_patch.levels
            else:
                near, levels = user_items, user_levels
            item_id, i1 = choose(
                near, levels, first, last, items[p], ratio, cap, fold(hop_key, np.uint64(1)), item_id, i1
            )
            user_label, item_label = room(user_label, u1), room(item_label, i1)
            user_label[u0 + 1 : u1], item_label[i0 + 1 : i1] = 2, 3
            for k in range(i0 + 1, i1):
                item_at[item_id[k]] = k - i0
        for hop in range(1, hops + 1 if hops > 1 else 1):
            user_start, item_start = n_users, n_items
            if hop == 1 and few_users:
                n_users = discover(own_users, 0, len(own_users), user_at, seen_users, n_users)
            else:
                near = item_id[item_fringe:i1]
                n_users = spread(near, item_ptr, item_users, item_patch, user_at, seen_users, n_users)
            if hop == 1 and few_items:
                n_items = discover(own_items, 0, len(own_items), item_at, seen_items, n_items)
            else:
                near = user_id[user_fringe:u1]
                n_items = spread(near, user_ptr, user_items, user_patch, item_at, seen_items, n_items)
            if n_users == user_start and n_items == item_start:
                break
            user_fringe, item_fringe = u1, i1
            hop_key = fold(key, np.uint64(hop))
            near = seen_users[user_start:n_users]
            user_id, u1 = keep(near, ratio, cap, fold(hop_key, np.uint64(0)), user_id, u1)
            near = seen_items[item_start:n_items]
            item_id, i1 = keep(near, ratio, cap, fold(hop_key, np.uint64(1)), item_id, i1)
            user_label, item_label = room(user_label, u1), room(item_label, i1)
            for k in range(user_fringe, u1):
                user_label[k] = 2 * hop
                user_at[user_id[k]] = k - u0
            for k in range(item_fringe, i1):
                item_label[k] = 2 * hop + 1
                item_at[item_id[k]] = k - i0
        degree = room(degree, u1)
        end = edge_end[p]
        rest = u1  # the first node whose row is copied below, with those after it
        if hops == 1 and not len(user_patch.nodes):
            starts = room(starts, u1 - u0)
            total = spans(user_id[u0 + 1 : u1], user_ptr, LONG * (i1 - i0), starts, degree[u0 + 1 : u1])
            if 0 <= total < MANY:
                rest = u0 + 1
        for k in range(u0, rest):
            first, last, patched = row(user_id[k], user_ptr, user_patch)
            start = end
            long = hops == 1 and last - first > LONG * (i1 - i0)
            most = end + (i1 - i0 if long else last - first)
            edge_item, edge_level = room(edge_item, most), room(edge_level, most)
            if user_label[k] != 2:
                # The pair's own edge is never in its own subgraph. Whoever else is not among the first hop's
                # users has not rated the target item, or the limit hides that rating.
                item_at[items[p]] = LEFT_OUT
            if k == u0 and few_items:
                end = copy(own_items, own_levels, 0, len(own_items), item_at, edge_item, edge_level, end)
            elif long:
                near, levels = user_items, user_levels
                if patched:
                    near, levels = user_patch.neighbours, user_patch.levels
                near_target = user_label[k] == 2
                end = pick(near, levels, first, last, item_id[i0:i1], near_target, edge_item, edge_level, end)
            elif patched:
                near, levels = user_patch.neighbours, user_patch.levels
                end = copy(near, levels, first, last, item_at, edge_item, edge_level, end)
            else:
                end = copy(user_items, user_levels, first, last, item_at, edge_item, edge_level, end)
            item_at[items[p]] = 0
            degree[k] = end - start
        if rest < u1:
            edge_item, edge_level = room(edge_item, end + total), room(edge_level, end + total)
            end = copy_rows(
                starts, degree[rest:u1], user_items, user_levels, item_at, edge_item, edge_level, end
            )
        user_end[p + 1], item_end[p + 1], edge_end[p + 1] = u1, i1, end
        if hops > 1:
            for k in range(n_users):
                user_at[seen_users[k]] = UNSEEN
        for k in range(n_items):
            item_at[seen_items[k]] = UNSEEN
        if hops == 1:
            for k in range(i0, i1):
                item_at[item_id[k]] = UNSEEN

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
