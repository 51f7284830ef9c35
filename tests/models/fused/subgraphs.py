"""A random subgraph, its two sides as the kernels see them, and its messages as dense matrices."""

from dataclasses import dataclass

import numpy as np

from igmc.models.fused.messages import NORM_DEGREE, NORM_NONE, NORM_RELATION, Edges, Side, build
from tests.models.compiling import callable_from_python

# An odd width is tested layer by layer: for each width, the kernels of a whole stack are compiled again,
# which takes half a minute.
H, LEVELS, HOPS = 5, 3, 2
LANES = (0,) * H
NORMS = {"none": NORM_NONE, "relation": NORM_RELATION, "degree": NORM_DEGREE}

build_sides = callable_from_python(build)


@dataclass
class Sample:
    """Both sides as `build` filled them, and of either side's messages a matrix for each level.

    Attributes:
        sides: the users, then the items.
        norms: in the same order, float64 [R, n, other n]: c_e by level, receiver and sender.
    """

    sides: tuple[Side, Side]
    norms: tuple[np.ndarray, np.ndarray]


def make_sample(norm="none", *, seed=0, users=7, items=9, kept=0.7) -> Sample:
    rng = np.random.default_rng(seed)
    level = np.where(rng.random((users, items)) < 0.7, rng.integers(LEVELS, size=(users, items)), -1)
    level[0, 0] = -1  # the rating of the targets is never in their subgraph
    level[1] = -1  # a node without a rating
    user, item = np.nonzero(level >= 0)
    order = np.lexsort((item, level[user, item], user))
    user, item = user[order], item[order]
    keep = (rng.random((2, len(user))) < kept).astype(np.uint8)
    keep[:, (user == 0) & (item == 2)] = 0  # the targets' rows lose something
    by_level = level[user, item].astype(np.uint8)
    degree = np.bincount(user, minlength=users).astype(np.int32)
    edges = Edges(degree, item.astype(np.int32), by_level, *keep)
    distance = [rng.integers(1, HOPS + 1, n) for n in (users, items)]
    for far in distance:
        far[0] = 0
    sides = (
        room(2 * distance[0], len(user), 0, users, 1, NORMS[norm]),
        room(2 * distance[1] + 1, len(user), users, 0, 0, NORMS[norm]),
    )
    build_sides(edges, *sides)
    messages = np.zeros((2, LEVELS, users, items))
    for direction in range(2):
        messages[direction, by_level, user, item] = keep[direction]
    to_items = messages[1].transpose(0, 2, 1)
    return Sample(sides, (normed(messages[0], norm), normed(to_items, norm)))


def room(label, edges, row, other_row, other_label, norm) -> Side:
    """A side with arrays full of nonsense, as a former subgraph leaves them."""
    n, senders = len(label), edges + 1
    return Side(
        end=np.full(n, 77, np.int32),
        sender=np.full(edges + 1, 77, np.int32),
        c=np.full(edges, 77, np.float32),
        counts=np.full(n * LEVELS * (HOPS + 1), 77, np.float32),
        node=np.full(senders, 77, np.int32),
        level=np.full(senders, 77, np.uint8),
        level_end=np.full(LEVELS, 77, np.int32),
        needed=np.full(n, 77, np.int32),
        needed_count=np.full(1, 77, np.int32),
        label=label.astype(np.uint8),
        all_rows=np.arange(max(n, senders), dtype=np.int32),
        row=row,
        other_row=other_row,
        other_label=other_label,
        hops=HOPS,
        norm=norm,
    )


def normed(messages, norm) -> np.ndarray:
    """Kept messages [R, n, other n], as 0 and 1, each over the number that its norm counts."""
    if norm == "none":
        return messages
    count = messages.sum(axis=2, keepdims=True) if norm == "relation" else messages.sum(axis=(0, 2))[:, None]
    return messages / np.maximum(count, 1)


def states(seed, *shape) -> np.ndarray:
    """Random float32 numbers between -1 and 1."""
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)
