"""The ranker as the network of a run: lists by relevance, for data with and without ratings."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from math import inf
from time import perf_counter
from typing import Any, NoReturn, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from igmc.config import ExplainConfig, RankerConfig, RunConfig
from igmc.errors import ConfigError
from igmc.graph import BipartiteGraph, RatingTimes, ServingGraph
from igmc.loading import SideFeatures
from igmc.networks.job import Job, Trained
from igmc.networks.neighbourhood import Neighbourhood
from igmc.networks.network import Network
from igmc.ranking import Ranker, fit_ranker
from igmc.ratings import RatingScale
from igmc.training import RunFolder, as_tensors

__all__ = ["NETWORK", "RankerNetwork", "RankerScorer"]

logger = logging.getLogger(__name__)


class RankerScorer:
    """The trained ranker of a run, which orders items and predicts no ratings."""

    def __init__(self, config: RankerConfig, state: Mapping[str, Any]) -> None:
        self.config, self._state = config, state

    def ranker(self, rating: sparse.csr_array) -> Ranker:
        """The ranker of the ratings that it was trained on, float32 [n_users, n_items]."""
        seen = sparse.csr_array(rating, copy=True).astype(np.float32)
        seen.data = np.ones_like(seen.data)
        return Ranker.from_state(self.config, seen, self._state)

    def score(
        self,
        graph: BipartiteGraph | ServingGraph,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        *,
        time: NDArray[np.int64] | None = None,
        deadline: float = inf,
    ) -> NDArray[np.float32]:
        """Raises a ConfigError: there are no ratings to predict."""
        _refuse()

    def score_user(
        self,
        known: ServingGraph,
        graph: ServingGraph,
        user: int,
        item: NDArray[np.int32],
        *,
        time: NDArray[np.int64] | None = None,
        deadline: float = inf,
    ) -> NDArray[np.float32]:
        """Raises a ConfigError, as `score`."""
        _refuse()

    def follow(
        self, known: ServingGraph, graph: ServingGraph, users: NDArray[np.int32], items: NDArray[np.int32]
    ) -> None:
        """Nothing is to be prepared: lists read the ratings of their user alone."""

    def warm(self, graph: ServingGraph) -> None:
        """Nothing is to be computed; see `follow`."""

    def refuse(self) -> NoReturn:
        """Raise the ConfigError of `score`."""
        _refuse()

    def at(self, time: int) -> Self:
        """Raises a ConfigError: it reads no dates."""
        raise ConfigError("this run reads no dates", got=f"time {time}", remedy="omit the time")


class RankerNetwork(Network[RankerScorer]):
    """Closed forms of who chose what, weighed by a network that embeds no id; see `igmc.ranking`.

    It learns from training and validation ratings together, and is trained again from the start after an
    interruption.
    """

    def train(self, job: Job) -> Trained:
        config = job.config.ranker
        if job.start is not None:
            raise ConfigError("the ranker cannot start from another run", remedy="omit --from")
        state = job.folder.latest()
        if state is None or len(state["history"]) < config.epochs:
            state = _fitted(job, config)
            if job.ranks.first:
                job.folder.save_epoch(config.epochs, state, {config.epochs})
        return Trained(state["history"], [config.epochs], np.empty((1, 0), np.float32))

    def load_scorer(
        self,
        folder: RunFolder,
        config: RunConfig,
        scale: RatingScale,
        epochs: Sequence[int],
        device: torch.device,
        *,
        threads: int | None = None,
        side: SideFeatures | None = None,
        times: RatingTimes | None = None,
    ) -> RankerScorer:
        return RankerScorer(config.ranker, folder.load_epoch(epochs[0])["model"])

    def neighbourhood(
        self,
        scorer: RankerScorer,
        known: ServingGraph,
        graph: ServingGraph,
        user: int,
        item: int,
        how: ExplainConfig,
        *,
        deadline: float = inf,
    ) -> Neighbourhood:
        _refuse()


def _refuse() -> NoReturn:
    raise ConfigError(
        "this run makes lists and predicts no ratings",
        got="a run of the network ranker",
        remedy="use igmc-recommend; ratings are predicted by --network neighbours, on data that have some",
    )


def _fitted(job: Job, config: RankerConfig) -> dict[str, Any]:
    """The ranker of the training ratings, as a checkpoint."""
    pairs, graph = job.parts["train"].pairs, job.parts["train"].graph
    rating = job.scale.values[job.scale.encode(pairs.rating)].astype(np.float32)
    known = sparse.csr_array((rating, (pairs.user, pairs.item)), shape=(graph.n_users, graph.n_items))
    known.sort_indices()
    history: list[dict[str, Any]] = []
    last = perf_counter()

    def told(record: Mapping[str, float]) -> None:
        nonlocal last
        now = perf_counter()
        history.append({**record, "epoch": int(record["epoch"]), "seconds": now - last})
        last = now
        logger.info("epoch %3d/%d  loss %.4f", len(history), config.epochs, record["loss"])
        if job.monitor is not None:
            job.monitor(history[-1])

    ranker = fit_ranker(known, config, seed=job.config.seed, monitor=told)
    return {"model": as_tensors(ranker.state()), "history": history}


NETWORK = RankerNetwork()
