"""Factorization estimates of the graphs that a run predicts on, fitted on first use and stored."""

from __future__ import annotations

import dataclasses
import logging
import time
from dataclasses import dataclass
from hashlib import blake2b
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from igmc.errors import CheckpointError
from igmc.estimates import FactorEstimates
from igmc.graph import RatingTimes, ServingGraph
from igmc.loading import Knowledge, KnownRatings
from igmc.ratings import SideInformation
from igmc.training import as_tensors, load_checkpoint, save_checkpoint

__all__ = ["NO_ESTIMATES", "GraphEstimates", "estimate_without", "laid_over"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class GraphEstimates:
    """The estimates that a model reads, and the file of those of its run's graph.

    Attributes:
        names: keys of `igmc.loading.ESTIMATORS`, the base first; none if the model reads none.
        seed: of their draws.
        side: features of users and items that they read, if any.
        path: the file of those that are kept; None to keep none.
        made: those of whatever graph is asked, where somebody else has made them; () to make them here.
    """

    names: tuple[str, ...] = ()
    seed: int = 1
    path: Path | None = None
    side: SideInformation | None = None
    made: tuple[FactorEstimates, ...] = ()

    def of(self, known: KnownRatings, threads: int) -> tuple[FactorEstimates, ...]:
        """The estimates of a graph's ratings, the kept ones where they are of these."""
        if self.made or not self.names or not len(known):
            return self.made
        digest = self._digest(known)
        kept = self._read(digest)
        if kept is None:
            start = time.perf_counter()
            fitted = self._fitted(known, threads)
            kept = [one.state() for one in fitted]
            logger.info("estimates of %d ratings in %.1f s", len(known), time.perf_counter() - start)
        # Through the rounding of the file in either case: an answer does not depend on whether there is one.
        found = tuple(FactorEstimates.from_state(state) for state in kept)
        return found if self.side is None else tuple(one.described_by(self.side) for one in found)

    def keep(self, known: KnownRatings, threads: int) -> None:
        """Fit the estimates of a graph's ratings, and keep them in the file."""
        if self.names and len(known) and self.path is not None:
            digest = self._digest(known)
            if self._read(digest) is None:
                fitted = self._fitted(known, threads)
                states = [as_tensors(one.state()) for one in fitted]
                save_checkpoint(self.path, {"digest": digest, "estimates": states})

    def elsewhere(self) -> GraphEstimates:
        """The same for graphs of which nothing is kept."""
        return dataclasses.replace(self, path=None, side=None, made=())

    def _fitted(self, known: KnownRatings, threads: int) -> tuple[FactorEstimates, ...]:
        described = dataclasses.replace(known, side=self.side)
        return described.estimate(self.names, seed=self.seed, threads=threads)

    def _read(self, digest: str) -> list[dict[str, Any]] | None:
        """What is kept, if it is of the ratings with this digest."""
        if self.path is None or not self.path.exists():
            return None
        try:
            found = load_checkpoint(self.path)
            if found["digest"] != digest:
                return None
            return [_unpacked(state) for state in found["estimates"]]
        except CheckpointError as error:
            raise CheckpointError(
                f"{self.path} is damaged", remedy="delete it; the estimates are recomputed in seconds"
            ) from error

    def _digest(self, known: KnownRatings) -> str:
        """Of all that the estimates follow from."""
        found = blake2b(repr((self.names, self.seed, known.n_users, known.n_items)).encode(), digest_size=16)
        features = []
        if self.side is not None:  # without those that came later
            features = [self.side.users.values[: known.n_users], self.side.items.values[: known.n_items]]
        for column in (known.user, known.item, known.rating, *features):
            found.update(np.ascontiguousarray(column).tobytes())
        return found.hexdigest()


NO_ESTIMATES = GraphEstimates()
_NOBODY = np.empty(0, np.int32)


def laid_over(
    knowledge: Knowledge,
    graph: ServingGraph,
    values: NDArray[np.float64],
    times: RatingTimes | None,
    rows: tuple[NDArray[np.int32], NDArray[np.int32]] | None = None,
) -> Knowledge:
    """What is known of a view: estimates and dates of its users too, and of items without a rating below.

    An item that has ratings below keeps its vectors, which are draws: vectors that are expected are shorter.

    Args:
        knowledge: of the view, except for estimates and dates, which are of the graph below.
        graph: the view. values: float [L], the rating of each level.
        times: when its ratings were given, as far as that is known.
        rows: int32, ascending, the users and items that it is about, the others being known already; all
            that the view holds itself if None.
    """
    if not knowledge.estimates and knowledge.dates is None:
        return knowledge
    patches = graph.by_user.patch.nodes, graph.by_item.patch.nodes
    (users, nodes), ratings = patches if rows is None else rows, []
    below = np.diff(graph.by_item.ptr)
    items = nodes[np.array([node >= len(below) or below[node] == 0 for node in nodes], np.bool_)]
    for user in users.tolist():
        rated, levels = graph.by_user.row(user)
        ratings.append((np.full(len(rated), user, np.int32), rated, values[levels]))
    for item in items.tolist():
        raters, levels = graph.by_item.row(item)
        others = ~np.isin(raters, users)
        ratings.append(
            (raters[others], np.full(np.count_nonzero(others), item, np.int32), values[levels[others]])
        )
    if not ratings:
        return knowledge
    user, item, rating = (np.concatenate(parts) for parts in zip(*ratings, strict=True))
    at = None if times is None else times.look_up(user, item)
    return knowledge.with_ratings(user, item, rating, at, users=users, items=items)


def estimate_without(
    estimates: FactorEstimates,
    user: int,
    item: int,
    near: NDArray[np.int32],
    rating: NDArray[np.float64],
    neighbours: NDArray[np.int32],
    *,
    side: str,
    deadline: float = inf,
) -> NDArray[np.float64]:
    """What the estimate of a pair loses without each of some ratings of its user, or of its item.

    Args:
        estimates: without the pair's own rating.
        user, item: the pair.
        near, rating: the row of the user, or of the item: who or what is at its other end.
        neighbours: int32 [n], among `near`.
        side: "user" or "item", whose row it is.
        deadline: on the clock of `time.monotonic`.

    Returns:
        float64 [n], in ratings.

    Raises:
        TimeoutError: after the deadline.
    """
    pair = np.array([user], np.int32), np.array([item], np.int32)
    own, other = (pair[0], pair[1]) if side == "user" else (pair[1], pair[0])

    def without(left_out: int) -> float:
        if time.monotonic() > deadline:
            raise TimeoutError
        kept = (near != other[0]) & (near != left_out)
        mine = np.full(np.count_nonzero(kept), own[0], np.int32)
        if side == "user":
            folded = estimates.fold_in(mine, near[kept], rating[kept], users=own)
        else:
            folded = estimates.fold_in(near[kept], mine, rating[kept], users=_NOBODY, items=own)
        return float(folded.features(*pair)[0][0])

    whole = without(-1)
    return np.array([whole - without(int(one)) for one in neighbours])


def _unpacked(state: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.numpy() if isinstance(value, torch.Tensor) else value for name, value in state.items()
    }
