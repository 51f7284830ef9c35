"""The interface of networks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import inf
from typing import Generic, Protocol, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from igmc.config import ExplainConfig, RunConfig, TransferConfig
from igmc.errors import ConfigError
from igmc.graph import BipartiteGraph, RatingTimes, ServingGraph
from igmc.loading import SideFeatures
from igmc.networks.job import Job, Trained
from igmc.networks.neighbourhood import Neighbourhood
from igmc.ratings import Pairs, RatingScale
from igmc.training import RunFolder

__all__ = ["AnyScorer", "Network"]


class AnyScorer(Protocol):
    """The loaded models of a run, which score pairs; safe to call from many threads."""

    def score(
        self,
        graph: BipartiteGraph | ServingGraph,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        *,
        time: NDArray[np.int64] | None = None,
        deadline: float = inf,
    ) -> NDArray[np.float32]:
        """Predictions of the M models for P pairs, float32 [M, P], not clipped.

        Args:
            graph: the known ratings; a pair's own rating is never used.
            user, item: int [P], dense indices in the graph's range.
            time: int64 [P], times of prediction, in seconds since 1970, -1 for no particular time; the time
                of `at` if None. Used only by networks that read dates.
            deadline: on the clock of `time.monotonic`.

        Raises:
            DataError: on an index out of range.
            TimeoutError: if the deadline has passed before a piece of the pairs.
        """

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
        """As `score`, for one user whose ratings extend or replace those in `known`.

        Args:
            known: the known ratings; graph: these and the user's.
            user: dense index in `graph`; item: int32 [P].
            time, deadline: as in `score`.
        """

    def follow(
        self, known: ServingGraph, graph: ServingGraph, users: NDArray[np.int32], items: NDArray[np.int32]
    ) -> None:
        """Prepare for a view, in time proportional to what changed, so that its first request is fast.

        Only the biases of changed rows are refitted, so predictions may differ slightly from those without
        this call.

        Args:
            known: a view; graph: one that differs from it in some rows, or has more rows.
            users, items: int32, ascending, of the changed rows.
        """

    def warm(self, graph: ServingGraph) -> None:
        """Compute once what requests on this view share, as far as there is room, so that they are fast."""

    def at(self, time: int) -> Self:
        """A scorer with this default time of prediction, instead of just after the newest rating.

        Raises:
            ConfigError: if the models read no dates.
        """


S = TypeVar("S", bound=AnyScorer)


class Network(ABC, Generic[S]):
    """A type of network, without weights; its scorer, of type S, holds the weights of a run."""

    @abstractmethod
    def train(self, job: Job) -> Trained:
        """Train a run, or resume one, and predict the test pairs.

        Raises:
            IgmcError: if settings conflict, or training fails.
        """

    @abstractmethod
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
    ) -> S:
        """Load the checkpoints of some epochs of a run.

        Args:
            folder, config: of the run.
            scale: of its ratings.
            epochs: of the checkpoints to load.
            device: of the models.
            threads: number of threads; all cores if None.
            side: side features of users and items, if the network was trained with them.
            times: times of the known ratings, if known.

        Raises:
            CheckpointError: if a checkpoint is missing, damaged, or of a model of another shape.
        """

    @abstractmethod
    def neighbourhood(
        self,
        scorer: S,
        known: ServingGraph,
        graph: ServingGraph,
        user: int,
        item: int,
        how: ExplainConfig,
        *,
        deadline: float = inf,
    ) -> Neighbourhood:
        """The most important ratings behind the prediction of a pair.

        Args:
            scorer: that made the prediction.
            known, graph, user, item: as in `AnyScorer.score_user`, with a single item.
            how: measure of importance, and number of neighbours shown.
            deadline: on the clock of `time.monotonic`.

        Raises:
            TimeoutError: after the deadline.
        """

    def on(
        self,
        scorer: S,
        graph: BipartiteGraph,
        scale: RatingScale,
        *,
        seed: int,
        times: RatingTimes | None = None,
    ) -> S:
        """The scorer for another data set; the same one unless it depends on the graph.

        Args:
            scorer: of a run.
            graph: of the other data set, with as many levels.
            scale: of the run: the ratings of its levels.
            seed: of the draws.
            times: when its ratings were given, where that is known.
        """
        return scorer

    def refitted(self, scorer: S, graph: BipartiteGraph, pairs: Pairs) -> dict[str, NDArray[np.float32]]:
        """Predictions of other models refitted to the graph of another data set; empty if there are none.

        Args:
            scorer: see `on`; graph: of the other data set.
            pairs: to predict.

        Returns:
            float32 [P] for each, on the scale of the run, by name.
        """
        return {}

    def fine_tuned(
        self,
        scorer: S,
        config: RunConfig,
        graph: BipartiteGraph,
        scale: RatingScale,
        few: Pairs,
        how: TransferConfig,
    ) -> S:
        """The models, each trained further on a few ratings of another data set.

        Args:
            scorer, config: of the run.
            graph, scale: as in `on`.
            few: ratings of the graph to train on, on the scale of the run.
            how: epochs, learning rate and seed.

        Raises:
            ConfigError: if this type of network cannot be fine-tuned.
        """
        raise ConfigError(
            f"the network {config.network} cannot be fine-tuned on another data set",
            got="--adapt finetune",
            allowed="none, calibrate",
        )
