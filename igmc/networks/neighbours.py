"""The neighbours network in a run."""

from __future__ import annotations

import logging

from igmc.errors import ConfigError
from igmc.inference import known_ratings, load_scorer
from igmc.networks.job import Job, Trained
from igmc.training import chosen_epochs, fit_neighbours

__all__ = ["train"]

logger = logging.getLogger(__name__)


def train(job: Job) -> Trained:
    """See `igmc.networks.registry.train_network`.

    Raises:
        ConfigError: if there is nothing to learn from.
    """
    part, config = job.parts["train"], job.config
    if len(part.pairs) < 2:
        raise ConfigError("there are too few training ratings", got=len(part.pairs), allowed="2 or more")
    history = fit_neighbours(
        known_ratings(part.graph, job.scale),
        job.parts["validation"].pairs if "validation" in job.parts else None,
        config.neighbours,
        job.folder,
        job.device,
        seed=config.seed,
        threads=job.workers,
        progress=job.progress,
        monitor=job.monitor,
    )
    if job.profile:
        seconds = sum(record["inputs_seconds"] for record in history)
        total = sum(record["seconds"] for record in history)
        logger.info("statistics and inputs %9.1f s, %4.1f %% of the training", seconds, 100 * seconds / total)
    epochs = chosen_epochs(config.training, [record["validation_rmse"] for record in history])
    scorer = load_scorer(job.folder, config, job.scale, epochs, job.device, threads=job.workers)
    test = job.parts["test"]
    return Trained(history, epochs, scorer.score(test.graph, test.pairs.user, test.pairs.item))
