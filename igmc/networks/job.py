"""What a run asks of a network, and what it gets."""

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
    """A network to be trained and asked about the test pairs.

    Attributes:
        config: of the run.
        dataset: its name; parts: of the run, see `igmc.graph.parts.make_parts`; scale: of the ratings.
        side: side features, for a network that reads them as they are; features: for estimates that do.
        folder: of the run, to resume from and to keep checkpoints in.
        device: to train on; home: where stores are kept; workers: processes and threads, all cores if None.
        memory: bytes that statistics may take, for a network that reads them; its default if None.
        progress: show bars, if stderr is a terminal; profile: log where the training time went.
        monitor: called after each epoch with its record.
        start: state of the model of another run, to begin with; None to draw the first weights.
        ranks: that train together; only the first one writes to the folder, and asks about the test pairs.
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
    """What came of it.

    Attributes:
        history: one record per epoch, each with ``validation_rmse`` and ``seconds``.
        epochs: whose checkpoints predict, the single one first.
        predictions: float32 [epochs, P], for the test pairs, not clipped; none but in the first rank.
        half_width: float32 [P], how far an interval reaches around their mean; None where none is told.
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
