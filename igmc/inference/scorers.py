"""The scorer of a run: its checkpoints, behind the interface that all networks answer by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from igmc.config import RunConfig
from igmc.inference.checkpoints import load_models
from igmc.inference.neighbour_scoring import NeighbourScorer
from igmc.inference.scoring import Scorer
from igmc.loading import SideFeatures
from igmc.models import IGMC, NeighboursEnsemble
from igmc.ratings import RatingScale
from igmc.training import RunFolder

__all__ = ["AnyScorer", "load_scorer"]

AnyScorer = Scorer | NeighbourScorer


def load_scorer(
    folder: RunFolder,
    config: RunConfig,
    scale: RatingScale,
    epochs: Sequence[int],
    device: torch.device,
    *,
    threads: int | None = None,
    side: SideFeatures | None = None,
) -> AnyScorer:
    """The checkpoints of some epochs of a run, ready to be asked.

    Args:
        folder, config: of the run.
        scale: of its ratings.
        epochs: whose checkpoints are there.
        device: where the models are to be.
        threads: to work with; as many as cores if None.
        side: side features of users and items, where the network was trained with them.

    Raises:
        CheckpointError: if a checkpoint is missing, damaged, or of a model of another shape.
    """
    found: AnyScorer = _LOADERS[config.network](folder, config, scale, epochs, device, threads, side)
    return found


def _rgcn(
    folder: RunFolder,
    config: RunConfig,
    scale: RatingScale,
    epochs: Sequence[int],
    device: torch.device,
    threads: int | None,
    side: SideFeatures | None,
) -> Scorer:
    like = IGMC(
        config.model,
        n_levels=len(scale),
        hops=config.extract.hops,
        side_width=0 if side is None else side[0].shape[1] + side[1].shape[1],
        threads=threads,
    )
    models = load_models(folder, epochs, like, device)
    return Scorer(models, config.extract, seed=config.seed, device=device, threads=threads, side=side)


def _neighbours(
    folder: RunFolder,
    config: RunConfig,
    scale: RatingScale,
    epochs: Sequence[int],
    device: torch.device,
    threads: int | None,
    side: SideFeatures | None,
) -> NeighbourScorer:
    own = config.neighbours
    like = NeighboursEnsemble(own.members, dropout=own.dropout, seed=config.seed, threads=threads)
    models = load_models(folder, epochs, like, device)
    return NeighbourScorer(models, scale.values, cap=own.max_neighbors, device=device, threads=threads)


_LOADERS: dict[str, Callable[..., Any]] = {"rgcn": _rgcn, "neighbours": _neighbours}
