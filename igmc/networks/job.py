"""The input and output of a network's training in a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from igmc.config import RunConfig
from igmc.graph import Part
from igmc.loading import SideFeatures
from igmc.ranks import ALONE, Ranks
from igmc.ratings import RatingScale, SideInformation
from igmc.training import RunFolder

__all__ = ["Job", "Trained"]


@dataclass(frozen=True, eq=False)
class Job:
    """A network to train and to evaluate on the test pairs.

    Attributes:
        config: of the run.
        dataset: its name; parts: of the run, see `igmc.graph.parts.make_parts`; scale: of the ratings.
        side: side features, for a network that reads them as they are; features: for estimates that do.
        folder: of the run, to resume from and to keep checkpoints in.
        device: to train on; home: where stores are kept; workers: processes and threads, all cores if None.
        memory: bytes that statistics may take, for a network that reads them; its default if None.
        progress: show bars, if stderr is a terminal; profile: log where the training time went.
        monitor: called after each epoch with its record.
        start: state of the model of another run to start from; None for random weights.
        ranks: processes that train together; only the first writes to the folder and predicts the test pairs.
    """

    config: RunConfig
    dataset: str
    parts: dict[str, Part]
    scale: RatingScale
    side: SideFeatures | None
    folder: RunFolder
    device: torch.device
    home: Path
    workers: int | None
    memory: int | None
    progress: bool
    profile: bool
    monitor: Callable[[Mapping[str, Any]], None] | None = None
    start: Mapping[str, Any] | None = None
    features: SideInformation | None = None
    ranks: Ranks = ALONE


@dataclass(frozen=True, eq=False)
class Trained:
    """The result of training a network.

    Attributes:
        history: one record per epoch, each with ``validation_rmse`` and ``seconds``.
        epochs: of the checkpoints used for prediction, the single one first.
        predictions: float32 [epochs, P], for the test pairs, not clipped; empty except in the first rank.
        half_width: float32 [P], half the width of the intervals around their mean; None without intervals.
        estimates: what was chosen and why, see `igmc.networks.neighbours`; None where nothing was.
    """

    history: list[dict[str, Any]]
    epochs: list[int]
    predictions: NDArray[Any]
    half_width: NDArray[np.float32] | None = None
    estimates: dict[str, Any] | None = None

    @property
    def bounds(self) -> NDArray[np.float32] | None:
        """The intervals of the test pairs, float32 [2, P], low and high, not clipped; None without any."""
        if self.half_width is None:
            return None
        mean = self.predictions.mean(axis=0)
        return np.stack([mean - self.half_width, mean + self.half_width])
