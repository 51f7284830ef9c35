"""Selection of the estimates of the neighbours network on validation ratings.

The network is trained without estimates and with the usual ones. These are chosen if they are significantly
better, by the paired interval over users, and take less than twice the CPU time; otherwise the cheaper ones
are tested in the same way. The run continues with the model trained for the choice.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from igmc.config import NeighboursConfig, RunConfig
from igmc.errors import ConfigError
from igmc.graph import BipartiteGraph, RatingTimes
from igmc.loading import pair_width
from igmc.models import NeighboursEnsemble
from igmc.networks.neighbours.estimates import GraphEstimates
from igmc.networks.neighbours.graph_knowledge import known_ratings
from igmc.networks.neighbours.scoring import NeighbourScorer
from igmc.ratings import Pairs, RatingScale
from igmc.training import MemoryCheckpointer, RunFolder, chosen_epochs, fit_neighbours

__all__ = ["CHOICE_FILE", "EstimatesChoice", "choose_estimates", "decided"]

logger = logging.getLogger(__name__)

CHOICE_FILE = "estimates.json"
PLAIN, RIVALS = "none", (NeighboursConfig().estimates, "mf")
MOST_TIME = 2.0  # times what it takes without estimates
NORMAL_95 = 1.959964
UNKNOWN = 1e9  # the error of a difference that one user alone tells of


@dataclass(frozen=True, eq=False)
class EstimatesChoice:
    """The choice, its reasons, and the training with it.

    Attributes:
        config: with the estimates chosen.
        record: in plain JSON types: ``chosen``, ``pairs`` of the validation part, and ``candidates``, each
            with its ``estimates``, ``rmse`` and ``seconds`` of the processors; and except for the first its
            RMSE less that without estimates: ``difference``, ``low`` and ``high``.
        checkpoints: of the training with these.
    """

    config: NeighboursConfig
    record: dict[str, Any]
    checkpoints: MemoryCheckpointer


@dataclass(frozen=True, eq=False)
class _Trained:
    config: NeighboursConfig
    checkpoints: MemoryCheckpointer
    square: NDArray[np.float64]
    seconds: float

    @property
    def rmse(self) -> float:
        return math.sqrt(float(self.square.mean()))


def choose_estimates(
    graph: BipartiteGraph,
    scale: RatingScale,
    times: RatingTimes | None,
    validation: Pairs | None,
    config: NeighboursConfig,
    device: torch.device,
    *,
    seed: int,
    monitor: Callable[[Mapping[str, Any]], None] | None = None,
    **how: Any,
) -> EstimatesChoice:
    """Train with and without estimates, and choose.

    Args:
        graph, times: the training ratings. scale: what the levels stand for.
        validation: the pairs that decide, and those that choose the epoch.
        config: with estimates "auto".
        device, seed: of the trainings.
        monitor: told of the epochs of the training that was chosen, once it is.
        **how: threads, memory and progress, see `fit_neighbours`.

    Raises:
        ConfigError: without validation ratings.
        TrainingError: see `fit_neighbours`.
    """
    if validation is None or not len(validation):
        raise ConfigError(
            "the estimates 'auto' are chosen on validation ratings, but there are none",
            got="--estimates auto",
            remedy="raise --validation-ratio, or name the estimates",
        )

    asked = graph, scale, times, validation
    plain = best = _trained(asked, config.replace(estimates=PLAIN), device, seed, how)
    candidates = [{"estimates": PLAIN, "rmse": plain.rmse, "seconds": plain.seconds}]
    for name in RIVALS:
        rival = _trained(asked, config.replace(estimates=name), device, seed, how)
        told = compared(rival.square, plain.square, validation.user)
        candidates.append({"estimates": name, "rmse": rival.rmse, "seconds": rival.seconds, **told})
        if worth_it(told["high"], rival.seconds, plain.seconds):
            best = rival
            break
    record = {"chosen": best.config.estimates, "pairs": len(validation), "candidates": candidates}
    logger.info("estimates: %s", record)
    if monitor is not None:
        for epoch_record in (best.checkpoints.latest() or {}).get("history", []):
            monitor(epoch_record)
    return EstimatesChoice(best.config, record, best.checkpoints)


def _trained(
    asked: tuple[BipartiteGraph, RatingScale, RatingTimes | None, Pairs],
    own: NeighboursConfig,
    device: torch.device,
    seed: int,
    how: Mapping[str, Any],
) -> _Trained:
    """A training with given estimates, and its errors on the validation pairs."""
    graph, scale, times, validation = asked
    checkpoints, start = MemoryCheckpointer(), time.process_time()
    known = known_ratings(graph, scale, times)
    history = fit_neighbours(known, validation, own, checkpoints, device, seed=seed, **how)
    seconds = time.process_time() - start
    selection = RunConfig(network="neighbours", neighbours=own).training
    epoch = chosen_epochs(selection, [record["validation_rmse"] for record in history])[0]
    model = NeighboursEnsemble(
        own.members, pair_width=pair_width(own.estimators, own.date_kind), dropout=0.0, seed=seed
    )
    model.load_state_dict(checkpoints.load_epoch(epoch)["model"])
    scorer = NeighbourScorer(
        [model.to(device)],
        scale.values,
        cap=own.max_neighbors,
        device=device,
        estimates=GraphEstimates(own.estimators, seed),
        dates=own.date_kind,
        times=times,
        threads=how.get("threads"),
    )
    found = scorer.score(graph, validation.user, validation.item, time=validation.time)[0]
    return _Trained(own, checkpoints, np.square(found - validation.rating, dtype=np.float64), seconds)


def worth_it(high: float, seconds: float, plain: float) -> bool:
    """Whether estimates are worth their cost, by the upper bound of the RMSE difference and the CPU times.

    >>> worth_it(-0.001, 19.0, 10.0), worth_it(0.001, 19.0, 10.0), worth_it(-0.001, 21.0, 10.0)
    (True, False, False)
    """
    return high < 0 and seconds < MOST_TIME * plain


def compared(
    first: NDArray[np.float64], second: NDArray[np.float64], user: NDArray[np.int32]
) -> dict[str, float]:
    """The first RMSE less the second, and its 95 % interval; users are independent, pairs of one are not.

    Args:
        first, second: float64 [P], squared errors of the same pairs.
        user: int32 [P].
    """
    _, index, count = np.unique(user, return_inverse=True, return_counts=True)
    n, mean = len(user), float(np.mean(first - second))
    left = np.bincount(index, first - second) - mean * count
    users = len(count)
    error = math.sqrt(float(np.sum(left**2)) * users / max(users - 1, 1)) / n if users > 1 else UNKNOWN
    unit = max(math.sqrt(float(first.mean())) + math.sqrt(float(second.mean())), 1e-12)
    far = NORMAL_95 * error
    return {"difference": mean / unit, "low": (mean - far) / unit, "high": (mean + far) / unit}


def decided(folder: RunFolder, config: NeighboursConfig) -> NeighboursConfig:
    """The settings of a run with the estimates that it chose, if it was to choose.

    Raises:
        CheckpointError: if what it chose is missing or damaged.
    """
    if config.estimates != "auto":
        return config
    return config.replace(estimates=folder.read_json(CHOICE_FILE)["chosen"])
