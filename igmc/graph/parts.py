"""Which ratings a graph may hold, and which pairs are asked on it: the three parts of a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from igmc.argument_types import checked_types
from igmc.config import SELECTIONS
from igmc.errors import ConfigError
from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.times import RatingTimes
from igmc.ratings import Pairs, Split
from igmc.short_repr import short_repr

__all__ = ["Part", "make_parts"]


@dataclass(frozen=True, eq=False)
class Part:
    """The pairs of one stage and the graph that their subgraphs are cut from.

    Attributes:
        name: "train", "validation" or "test".
        graph: the ratings that are known at that stage.
        pairs: the pairs whose ratings are asked. The edge of a pair is left out of its own subgraph.
        times: when the ratings of the graph were given; None if that is not known of any.
    """

    __repr__ = short_repr

    name: str
    graph: BipartiteGraph
    pairs: Pairs
    times: RatingTimes | None = None


@checked_types
def make_parts(split: Split, selection: str) -> dict[str, Part]:
    """The parts of a run, by how its checkpoints are selected.

    "fixed" trains on training and validation ratings together, and asks the test pairs on that same graph.
    "validation" trains on the training ratings alone, asks the validation pairs on the graph of the training
    ratings, and the test pairs on the graph of both, since at that stage both are known. Under either, what
    the split holds as support is in the graph of the test pairs, and nowhere else.

    Raises:
        ConfigError: on another selection.
    """
    if selection not in SELECTIONS:
        raise ConfigError("unknown selection", got=selection, allowed=", ".join(SELECTIONS))
    known = np.concatenate([split.train, split.validation])
    known_graph = _graph(split, known)
    shown = split.support
    test_graph = _graph(split, np.concatenate([known, shown])) if shown.size else known_graph
    times = _times(split, np.concatenate([known, shown]))
    test = Part("test", test_graph, split.pairs(split.test), times)
    if selection == "fixed":
        return {"train": Part("train", known_graph, split.pairs(known), times), "test": test}
    train_graph = _graph(split, split.train)
    return {
        "train": Part("train", train_graph, split.pairs(split.train), times),
        "validation": Part("validation", train_graph, split.pairs(split.validation), times),
        "test": test,
    }


def _graph(split: Split, rows: NDArray[np.int64]) -> BipartiteGraph:
    table = split.table
    return BipartiteGraph.from_ratings(
        table.user[rows],
        table.item[rows],
        split.scale.encode(table.rating[rows]),
        n_users=len(table.users),
        n_items=len(table.items),
        n_levels=len(split.scale),
    )


def _times(split: Split, rows: NDArray[np.int64]) -> RatingTimes | None:
    table = split.table
    if table.timestamp is None:
        return None
    return RatingTimes.of(table.user[rows], table.item[rows], table.timestamp[rows])
