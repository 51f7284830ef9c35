"""What the kernels of `igmc.statistics` compute, said in plain Python: slow, and the arbiter in tests."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from igmc.statistics.graph_statistics import DAMPING, LEAST_DEVIATION, SWEEPS

__all__ = ["ReferencePair", "reference_pair"]

Ratings = Mapping[tuple[int, int], float]  # (user, item) -> rating


class ReferencePair(NamedTuple):
    """The inputs of one pair, not normalized, without a cap.

    Attributes:
        base: in ratings; pair: the ten inputs of the pair, as in `igmc.statistics.NeighbourRows`.
        users, items: neighbour -> its residual and the twelve inputs of `igmc.statistics.SideNeighbours`.
    """

    base: float
    pair: list[float]
    users: dict[int, tuple[float, list[float]]]
    items: dict[int, tuple[float, list[float]]]


def reference_pair(ratings: Ratings, user: int, item: int, span: float) -> ReferencePair:
    """The inputs of a pair on the graph of all ratings but its own."""
    known = {pair: rating for pair, rating in ratings.items() if pair != (user, item)}
    mean = sum(known.values()) / len(known) if known else 0.0
    rated: dict[int, dict[int, float]] = {user: {}}
    raters: dict[int, dict[int, float]] = {item: {}}
    for (u, i), rating in known.items():
        rated.setdefault(u, {})[i] = raters.setdefault(i, {})[u] = rating - mean
    user_bias, item_bias = dict.fromkeys(rated, 0.0), dict.fromkeys(raters, 0.0)
    for _ in range(SWEEPS):
        for i, row in raters.items():
            item_bias[i] = sum(r - user_bias[u] for u, r in row.items()) / (len(row) + DAMPING)
        for u, row in rated.items():
            user_bias[u] = sum(r - item_bias[i] for i, r in row.items()) / (len(row) + DAMPING)
    left = {(u, i): r - mean - user_bias[u] - item_bias[i] for (u, i), r in known.items()}
    squares = sum(e * e for e in left.values()) / len(left) if left else 0.0
    deviation = max(math.sqrt(squares), LEAST_DEVIATION * span)
    by_user = {u: {i: left[u, i] / deviation for i in row} for u, row in rated.items()}
    by_item = {i: {u: left[u, i] / deviation for u in row} for i, row in raters.items()}
    b_u, b_i = user_bias[user] / deviation, item_bias[item] / deviation
    n_u, n_i = len(by_user[user]), len(by_item[item])
    pair = [
        math.log1p(n_u),
        math.log1p(n_i),
        b_u,
        b_i,
        _dispersion(by_user[user]) - 1.0,
        _dispersion(by_item[item]) - 1.0,
        b_u * b_i,
        (n_u + 1) ** -0.5,
        (n_i + 1) ** -0.5,
        b_u + b_i,
    ]
    users = {
        v: (e, _row(e, by_user[user], by_user[v], user_bias[v] / deviation)) for v, e in by_item[item].items()
    }
    items = {
        j: (e, _row(e, by_item[item], by_item[j], item_bias[j] / deviation)) for j, e in by_user[user].items()
    }
    return ReferencePair(mean + deviation * (b_u + b_i), pair, users, items)


def _row(e: float, own: Mapping[int, float], other: Mapping[int, float], bias: float) -> list[float]:
    both = [(own[k], other[k]) for k in own if k in other]
    N, A, B = len(both), sum(x for x, _ in both), sum(y for _, y in both)
    P = sum(x * y for x, y in both)
    Q_u, Q_v = sum(x * x for x, _ in both), sum(y * y for _, y in both)
    some = max(N, 1)
    centred = (max(Q_u - A * A / some, 0.0) + 3) * (max(Q_v - B * B / some, 0.0) + 3)
    return [
        e,
        math.log1p(N),
        math.log1p(len(other)),
        P / math.sqrt((Q_u + 3) * (Q_v + 3)),
        P / (N + 10),
        (Q_u + Q_v - 2 * P + 6) / (N + 3) - 2,
        A / (N + 5),
        B / (N + 5),
        P / (math.sqrt(N) + 1),
        _dispersion(other) - 1.0,
        bias,
        (P - A * B / some) / math.sqrt(centred),
    ]


def _dispersion(row: Mapping[int, float]) -> float:
    return (sum(e * e for e in row.values()) + DAMPING) / (len(row) + DAMPING)
