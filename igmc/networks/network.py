"""What a network does in a run, and in the use of one."""

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
    """The models of a run, ready to score pairs; any number of threads may call it at once."""

    def score(
        self,
        graph: BipartiteGraph | ServingGraph,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        *,
        time: NDArray[np.int64] | None = None,
        deadline: float = inf,
    ) -> NDArray[np.float32]:
        """What each of the M models predicts for P pairs, float32 [M, P], not clipped.

        Args:
            graph: the ratings that are known; the pair's own is never looked at.
            user, item: int [P], dense indices in the graph's range.
            time: int64 [P], when they are asked, in seconds since 1970, -1 for at no particular time; the
                time of `at` if None. It counts where a network reads dates.
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
        """As `score`, for one user whose ratings lie over those that are `known`.

        Args:
            known: the ratings known; graph: these, and the user's.
            user: dense index in `graph`; item: int32 [P].
            time, deadline: as in `score`.
        """

    def follow(
        self, known: ServingGraph, graph: ServingGraph, users: NDArray[np.int32], items: NDArray[np.int32]
    ) -> None:
        """Make ready for a view, in time that goes by what changed, so that its first request need not wait.

        Biases are fitted again in the rows that changed alone, so that an answer on the view may differ a
        little from one on the same view without this call.

        Args:
            known: a view; graph: one that differs from it in some rows, or is longer.
            users, items: int32, ascending, whose rows these are.
        """

    def at(self, time: int) -> Self:
        """The same, asked at this time if no other is given; without it just after the newest rating.

        Raises:
            ConfigError: if the models read no dates.
        """


S = TypeVar("S", bound=AnyScorer)


class Network(ABC, Generic[S]):
    """A kind of network, without weights; its scorer, of type S, holds those of a run."""

    @abstractmethod
    def train(self, job: Job) -> Trained:
        """Train a run, or go on with one, and ask it about the test pairs.

        Raises:
            IgmcError: if the settings do not suit each other, or the training fails.
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
        """The checkpoints of some epochs of a run, ready to be asked.

        Args:
            folder, config: of the run.
            scale: of its ratings.
            epochs: whose checkpoints are there.
            device: of the models.
            threads: to work with; all cores if None.
            side: side features of users and items, where the network was trained with them.
            times: when the ratings were given that are known of the run, where it is known.

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
        """The ratings that the prediction of a pair rests on, the most important ones.

        Args:
            scorer: whose prediction it is.
            known, graph, user, item: as in `AnyScorer.score_user`, with a single item.
            how: how importance is measured, and how much is shown.
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
        """The scorer for the ratings of another data set; the same one, unless something belongs to a graph.

        Args:
            scorer: of a run.
            graph: of the other data set, with as many levels.
            scale: of the run: what its levels stand for.
            seed: of the draws.
            times: when its ratings were given, where that is known.
        """
        return scorer

    def refitted(self, scorer: S, graph: BipartiteGraph, pairs: Pairs) -> dict[str, NDArray[np.float32]]:
        """What else was fitted to the graph of another data set, and predicts; nothing if none is read.

        Args:
            scorer: see `on`; graph: that it was made for.
            pairs: that are asked.

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
            few: ratings of the graph to learn from, on the scale of the run.
            how: epochs, learning rate and seed.

        Raises:
            ConfigError: if this kind of network cannot be trained further.
        """
        raise ConfigError(
            f"the network {config.network} cannot be trained further on another data set",
            got="--adapt finetune",
            allowed="none, calibrate",
        )
