"""The neighbours network: training and loading."""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from math import inf
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from igmc.config import COVERAGE, ExplainConfig, NeighboursConfig, RunConfig, TransferConfig
from igmc.errors import ConfigError
from igmc.graph import BipartiteGraph, RatingTimes, ServingGraph
from igmc.loading import MEMORY, SideFeatures, pair_width
from igmc.models import NeighboursEnsemble
from igmc.networks.checkpoints import load_models
from igmc.networks.job import Job, Trained
from igmc.networks.neighbourhood import Neighbourhood
from igmc.networks.neighbours.estimates import GraphEstimates
from igmc.networks.neighbours.estimates_choice import CHOICE_FILE, choose_estimates, decided
from igmc.networks.neighbours.graph_knowledge import known_ratings
from igmc.networks.neighbours.nearest import nearest_neighbours
from igmc.networks.neighbours.scoring import NeighbourScorer
from igmc.networks.neighbours.side_file import load_side, save_side
from igmc.networks.network import Network
from igmc.ratings import Pairs, RatingScale
from igmc.training import (
    MemoryCheckpointer,
    RunFolder,
    chosen_epochs,
    fit_neighbours,
    on_device,
    unpacked_intervals,
)

__all__ = ["NETWORK", "Neighbours"]

logger = logging.getLogger(__name__)


class Neighbours(Network[NeighbourScorer]):
    """An ensemble of networks in one checkpoint, on closed-form statistics of the graph."""

    def train(self, job: Job) -> Trained:
        """See `igmc.networks.network.Network.train`.

        Raises:
            ConfigError: if there are too few training ratings.
        """
        part, config = job.parts["train"], job.config
        if len(part.pairs) < 2:
            raise ConfigError("there are too few training ratings", got=len(part.pairs), allowed="2 or more")
        own = self._decide(job)
        if job.features is not None and job.ranks.first:
            save_side(job.folder, job.features)
        history = fit_neighbours(
            known_ratings(part.graph, job.scale, part.times, job.features),
            job.parts["validation"].pairs if "validation" in job.parts else None,
            own,
            job.folder,
            job.device,
            seed=config.seed,
            threads=job.workers,
            memory=MEMORY if job.memory is None else job.memory,
            progress=job.progress,
            monitor=job.monitor,
            start=job.start,
            ranks=job.ranks,
        )
        if job.profile:
            seconds = sum(record["inputs_seconds"] for record in history)
            total = sum(record["seconds"] for record in history)
            share = 100 * seconds / total
            logger.info("statistics and inputs %9.1f s, %4.1f %% of the training", seconds, share)
        epochs = chosen_epochs(config.training, [record["validation_rmse"] for record in history])
        if not job.ranks.first:
            return Trained(history, epochs, np.empty((len(epochs), 0), np.float32))
        test = job.parts["test"]
        scorer = self.load_scorer(
            job.folder, config, job.scale, epochs, job.device, threads=job.workers, times=test.times
        )
        scorer.known.estimates.keep(known_ratings(test.graph, job.scale), scorer.threads)
        asked = test.pairs
        found = scorer.answers(test.graph, asked.user, asked.item, time=asked.time)
        intervals = scorer.intervals
        width = None if intervals is None else intervals.half_width(found.spread, COVERAGE)
        return Trained(history, epochs, found.score, width, self._choice(job.folder, config))

    def _decide(self, job: Job) -> NeighboursConfig:
        """The settings to train with; where a choice is yet to be made, what was trained for it is kept."""
        own, folder = job.config.neighbours, job.folder
        if own.estimates != "auto" or (folder.path / CHOICE_FILE).exists():
            return decided(folder, own)
        if job.start is not None or job.ranks.size > 1:
            raise ConfigError(
                "estimates cannot be chosen in several processes, or with the weights of another run",
                got="--estimates auto",
                remedy="name the estimates; with the weights of another run, use its estimates",
            )
        part = job.parts["train"]
        choice = choose_estimates(
            part.graph,
            job.scale,
            part.times,
            job.parts["validation"].pairs,
            own,
            job.device,
            seed=job.config.seed,
            threads=job.workers,
            memory=MEMORY if job.memory is None else job.memory,
            progress=job.progress,
            monitor=job.monitor,
        )
        kept = choice.checkpoints.epochs()
        for epoch in kept:
            folder.save_epoch(epoch, choice.checkpoints.load_epoch(epoch), set(kept))
        folder.write_json(CHOICE_FILE, choice.record)
        return choice.config

    def _choice(self, folder: RunFolder, config: RunConfig) -> dict[str, Any] | None:
        auto = config.neighbours.estimates == "auto"
        return folder.read_json(CHOICE_FILE) if auto else None

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
    ) -> NeighbourScorer:
        """See `igmc.networks.network.Network.load_scorer`."""
        own = decided(folder, config.neighbours)
        like = NeighboursEnsemble(
            own.members,
            pair_width=pair_width(own.estimators, own.date_kind),
            dropout=own.dropout,
            seed=config.seed,
            threads=threads,
        )
        return NeighbourScorer(
            load_models(folder, epochs, like, device),
            scale.values,
            cap=own.max_neighbors,
            device=device,
            estimates=GraphEstimates(
                own.estimators,
                config.seed,
                folder.path / "estimates.ckpt",
                load_side(folder) if own.side_features else None,
            ),
            dates=own.date_kind,
            times=times,
            threads=threads,
            intervals=unpacked_intervals(folder.load_epoch(epochs[0]).get("intervals")),
        )

    def neighbourhood(
        self,
        scorer: NeighbourScorer,
        known: ServingGraph,
        graph: ServingGraph,
        user: int,
        item: int,
        how: ExplainConfig,
        *,
        deadline: float = inf,
    ) -> Neighbourhood:
        """See `igmc.networks.network.Network.neighbourhood`."""
        return nearest_neighbours(scorer, known, graph, user, item, how, deadline=deadline)

    def on(
        self,
        scorer: NeighbourScorer,
        graph: BipartiteGraph,
        scale: RatingScale,
        *,
        seed: int,
        times: RatingTimes | None = None,
    ) -> NeighbourScorer:
        """See `igmc.networks.network.Network.on`: the norms of the inputs belong to a graph."""
        return scorer.on(graph, scale, seed=seed, times=times)

    def refitted(
        self, scorer: NeighbourScorer, graph: BipartiteGraph, pairs: Pairs
    ) -> dict[str, NDArray[np.float32]]:
        """See `igmc.networks.network.Network.refitted`: each of the estimates, alone."""
        estimates = scorer.known.of(ServingGraph.of(graph)).estimates
        both = zip(scorer.known.estimates.names, estimates, strict=True)
        return {name: one.features(pairs.user, pairs.item)[0] for name, one in both}

    def fine_tuned(
        self,
        scorer: NeighbourScorer,
        config: RunConfig,
        graph: BipartiteGraph,
        scale: RatingScale,
        few: Pairs,
        how: TransferConfig,
    ) -> NeighbourScorer:
        """See `igmc.networks.network.Network.fine_tuned`; all ratings of the graph make up its statistics."""
        known = known_ratings(graph, scale, scorer.known.times).asking(few)
        settings = config.neighbours.replace(
            estimates=",".join(scorer.known.estimates.names) or "none",
            selection="fixed",
            epochs=how.epochs,
            learning_rate=how.learning_rate,
            pairs_per_epoch=len(known),  # all that are asked among them
        )
        models = []
        for model in scorer.models:
            checkpoints, tuned = MemoryCheckpointer(), copy.deepcopy(model)
            with on_device(scorer.device):
                fit_neighbours(
                    known,
                    None,
                    settings,
                    checkpoints,
                    scorer.device,
                    seed=how.seed,
                    threads=scorer.threads,
                    progress=False,
                    start=model.state_dict(),
                    keeps_offset=True,
                )
            tuned.load_state_dict(checkpoints.load_epoch(how.epochs)["model"])
            models.append(tuned)
        return scorer.with_models(models)


NETWORK = Neighbours()
