"""The network of the IGMC paper: training and loading."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from math import inf

import numpy as np
import torch

from igmc.config import ExplainConfig, RunConfig, TransferConfig
from igmc.errors import ConfigError
from igmc.extract import extract_store, projected_bytes
from igmc.graph import BipartiteGraph, Part, RatingTimes, ServingGraph
from igmc.loading import LiveSource, Loader, SideFeatures, StoreSource, SubgraphSource, SupportDropout
from igmc.models import IGMC
from igmc.networks.checkpoints import load_models
from igmc.networks.job import Job, Trained
from igmc.networks.neighbourhood import Neighbourhood
from igmc.networks.network import Network
from igmc.networks.rgcn.neighbourhood import read_off
from igmc.networks.rgcn.scoring import Scorer
from igmc.ratings import Pairs, RatingScale
from igmc.store import CACHE_BYTES, StoreReader, fingerprint, store_folder
from igmc.training import (
    LEAST_SAMPLE,
    MemoryCheckpointer,
    RunFolder,
    chosen_epochs,
    fit,
    on_device,
    predict_samples,
    start_from,
)

__all__ = ["NETWORK", "RGCN"]

logger = logging.getLogger(__name__)

SCORE_BATCH = 256  # without gradients, larger batches cost no accuracy and less overhead


class RGCN(Network[Scorer]):
    """Subgraphs come from a store or are extracted live; predictions average several checkpoints."""

    def train(self, job: Job) -> Trained:
        """See `igmc.networks.network.Network.train`."""
        config, parts, side = job.config, job.parts, job.side
        if config.model.batch_norm and job.ranks.size > 1:
            raise ConfigError("batch normalization needs the whole batch in one process", got="--batch-norm")
        sources = _sources(job)
        model = IGMC(
            config.model,
            n_levels=len(job.scale),
            hops=config.extract.hops,
            side_width=0 if side is None else side[0].shape[1] + side[1].shape[1],
            seed=config.seed,
            threads=job.workers,
        )
        start_from(model, job.start)
        size, validation = config.train.batch_size, None
        training = Loader(sources["train"], size, seed=config.seed, shuffle=True, side=side, ranks=job.ranks)
        if "validation" in sources:
            validation = Loader(sources["validation"], SCORE_BATCH, side=side)
        history = fit(
            model,
            training,
            validation,
            config.train,
            job.folder,
            job.device,
            progress=job.progress,
            profile=job.profile,
            monitor=job.monitor,
            ranks=job.ranks,
        )
        epochs = chosen_epochs(config.train, [record["validation_rmse"] for record in history])
        if not job.ranks.first:
            return Trained(history, epochs, np.empty((len(epochs), 0), np.float32))
        # Of what a cap thins, a store holds the first sample alone.
        live = [LiveSource(parts["test"], config.extract, seed=config.seed)] if config.extract.samples else []
        tests = [Loader(source, SCORE_BATCH, side=side) for source in (sources["test"], *live)]
        models = load_models(job.folder, epochs, model, job.device)
        return Trained(history, epochs, predict_samples(models, *tests, device=job.device))

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
    ) -> Scorer:
        """See `igmc.networks.network.Network.load_scorer`."""
        like = IGMC(
            config.model,
            n_levels=len(scale),
            hops=config.extract.hops,
            side_width=0 if side is None else side[0].shape[1] + side[1].shape[1],
            threads=threads,
        )
        models = load_models(folder, epochs, like, device)
        return Scorer(models, config.extract, seed=config.seed, device=device, threads=threads, side=side)

    def neighbourhood(
        self,
        scorer: Scorer,
        known: ServingGraph,
        graph: ServingGraph,
        user: int,
        item: int,
        how: ExplainConfig,
        *,
        deadline: float = inf,
    ) -> Neighbourhood:
        """See `igmc.networks.network.Network.neighbourhood`."""
        return read_off(scorer, graph, user, item, how, deadline)

    def fine_tuned(
        self,
        scorer: Scorer,
        config: RunConfig,
        graph: BipartiteGraph,
        scale: RatingScale,
        few: Pairs,
        how: TransferConfig,
    ) -> Scorer:
        """See `igmc.networks.network.Network.fine_tuned`; the models of the scorer are changed."""
        train = config.train.replace(
            selection="fixed", epochs=how.epochs, learning_rate=how.learning_rate, ensemble_size=1
        )
        source = LiveSource(Part("train", graph, few), config.extract, seed=how.seed)
        loader = Loader(source, train.batch_size, seed=how.seed, shuffle=True)
        for model in scorer.models:
            with on_device(scorer.device):
                fit(
                    model,
                    loader,
                    None,
                    train,
                    MemoryCheckpointer(),
                    scorer.device,
                    progress=False,
                    keeps_intercept=len(few) < LEAST_SAMPLE,  # a few say little about a mean
                )
            model.eval()
        return Scorer(scorer.models, config.extract, seed=config.seed, device=scorer.device)


NETWORK = RGCN()


def _sources(job: Job) -> dict[str, SubgraphSource]:
    """A source of subgraphs for each part: live, or from its store, which is created if missing."""
    config, parts = job.config, job.parts
    live, seed = config.live, config.seed
    dropout = SupportDropout.of(config.train)
    if dropout is not None:
        if live is False:
            raise ConfigError(
                "support dropout needs subgraphs that are extracted in each epoch, not a store",
                got=config.train.support_dropout,
                remedy="use --live, or omit --support-dropout",
            )
        live = True
    if live is None:
        size = sum(projected_bytes(part, config.extract, seed=seed) for part in parts.values())
        live = size > CACHE_BYTES
        logger.info(
            "subgraphs %s, since a store would take %.2f GB and the limit is %.2f GB (--live, --store)",
            "are extracted live" if live else "come from the store",
            size / 1e9,
            CACHE_BYTES / 1e9,
        )
    if live:
        drops = {"train": dropout}  # and no other part
        return {
            name: LiveSource(part, config.extract, seed=seed, support_dropout=drops.get(name))
            for name, part in parts.items()
        }
    # The first rank makes the stores, then the first one of each other machine those that it does not see.
    stores: dict[str, SubgraphSource] = {}
    turn = 0 if job.ranks.first else 1 if job.ranks.local == 0 else 2
    for number in range(3):
        if number == turn:
            stores = {name: _store(job, name) for name in parts}
        job.ranks.wait()
    return stores


def _store(job: Job, name: str) -> SubgraphSource:
    """The source of a part from its store."""
    part, extract, seed = job.parts[name], job.config.extract, job.config.seed
    key = fingerprint(part.graph, part.pairs, extract, seed)
    place = store_folder(job.home, job.dataset, name, key)
    extract_store(part, extract, seed=seed, folder=place, workers=job.workers, progress=job.progress)
    return StoreSource(StoreReader(place, fingerprint=key), part.pairs)
