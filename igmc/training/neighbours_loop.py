"""The training of the neighbours network."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from igmc.config import NeighboursConfig, RunConfig
from igmc.errors import TrainingError
from igmc.loading import (
    MEMORY,
    KnownRatings,
    NeighbourBatch,
    NeighbourLoader,
    Probe,
    input_norms,
    read_in_pieces,
)
from igmc.models import NeighboursEnsemble
from igmc.ratings import Pairs
from igmc.threads import away
from igmc.training.averaging import WeightAverage
from igmc.training.checkpointer import Checkpointer
from igmc.training.ensemble import chosen_epochs

__all__ = ["fit_neighbours"]

logger = logging.getLogger(__name__)

WARM_UP = 0.1  # share of the training in which the learning rate rises
FIRST_RATE, LAST_RATE = 0.04, 1e-3  # shares of the learning rate, at the start and at the end
AVERAGE_MEMORY = 0.998
LONGEST_GRADIENT = 1.0
PIECE = 10_000  # validation pairs whose inputs are made at once

Monitor = Callable[[Mapping[str, Any]], None]


def fit_neighbours(
    known: KnownRatings,
    validation: Pairs | None,
    config: NeighboursConfig,
    checkpointer: Checkpointer,
    device: torch.device,
    *,
    seed: int,
    threads: int | None = None,
    memory: int = MEMORY,
    progress: bool = True,
    monitor: Monitor | None = None,
    start: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Train for all epochs; resumes after the last one that the checkpointer has.

    AdamW on the squared error, with one cycle of the learning rate and averaged weights. After each epoch the
    averaged weights get the offset that makes their mean error 0 on training pairs, and, where there is a
    validation part, the shrinkage towards the biases that suits it best. All randomness is a function of the
    seed and the epoch: a run that was killed and resumed ends with the same bits on a CPU.

    A model that is trained further keeps its offset, and its shrinkage where there is no validation part; the
    norms are those of the ratings here.

    Args:
        known: the ratings of the training part.
        validation: the pairs that shrinkage and the choice of the epoch look at; None for fixed epochs.
        config: of the network and its training.
        checkpointer: where to resume from, and where to save.
        device: to train on.
        seed: of everything random.
        threads, memory: see `NeighbourLoader`.
        progress: show a bar an epoch, if stderr is a terminal.
        monitor: called after each epoch with its record; what it raises ends the training.
        start: state of a `NeighboursEnsemble` to be trained further; the first weights are drawn if None.

    Returns:
        A record an epoch: epoch, mse (of the training steps, in squared ratings), learning_rate (at its end),
        validation_rmse (None without a validation part), offset (in deviations), shrinkage, seconds,
        pairs_per_second.

    Raises:
        TrainingError: if the loss or a weight is not finite; the checkpoints before that stay.
        CheckpointError: if the checkpoint to resume from is damaged.
    """
    run = _Training(known, config, device, seed, threads, memory, start, validation is not None)
    history = run.resume(checkpointer.latest())
    selection = RunConfig(network="neighbours", neighbours=config).training
    while len(history) < config.epochs:
        epoch = len(history) + 1
        began, inputs = time.perf_counter(), run.loader.seconds["inputs"]
        record = {"epoch": epoch, **away(run.epoch, epoch, progress)}
        seconds = time.perf_counter() - began
        rmse = None if validation is None else away(run.validate, validation)
        if validation is None and start is None:
            run.shrink(config.shrinkage)
        run.check(epoch, rmse)
        record |= {
            "validation_rmse": rmse,
            "offset": float(run.average.offset),
            "shrinkage": float(run.average.shrinkage),
            "seconds": seconds,
            "pairs_per_second": record.pop("pairs") / seconds,
            "inputs_seconds": run.loader.seconds["inputs"] - inputs,
        }
        history.append(record)
        keep = {epoch, *chosen_epochs(selection, [record["validation_rmse"] for record in history])}
        checkpointer.save_epoch(epoch, run.state(history), keep)
        logger.info("%s", _line(record, config.epochs))
        if monitor is not None:
            monitor(record)
    return history


def learning_rate(highest: float, progress: float) -> float:
    """One cycle: up on a cosine in the first tenth of the training, then down on one.

    Args:
        highest: reached at a tenth.
        progress: share of the training that is done, 0..1.
    """
    if progress < WARM_UP:
        return highest * (FIRST_RATE + (1 - FIRST_RATE) * (1 - math.cos(math.pi * progress / WARM_UP)) / 2)
    fall = (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP))) / 2
    return highest * max(fall, LAST_RATE)


class _Training:
    """What changes while the network is trained."""

    def __init__(
        self,
        known: KnownRatings,
        config: NeighboursConfig,
        device: torch.device,
        seed: int,
        threads: int | None,
        memory: int,
        start: Mapping[str, Any] | None,
        validated: bool,
    ) -> None:
        self.further = start is not None
        self.known, self.config, self.device, self.threads = known, config, device, threads
        self.model = NeighboursEnsemble(config.members, dropout=config.dropout, seed=seed, threads=threads)
        if start is not None:
            self.model.load_state_dict(start)
        cap = config.max_neighbors
        norms = input_norms(known, cap=cap, seed=seed, threads=threads)
        self.model.norms = norms
        self.probe = Probe.of(known, norms, cap=cap, seed=seed, threads=threads)
        self.model.to(device)
        self.average = copy.deepcopy(self.model)
        self.weights = list(self.model.parameters())
        self.averaging = WeightAverage(self.weights, list(self.average.parameters()), AVERAGE_MEMORY)
        self.optimizer = torch.optim.AdamW(
            self.weights, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
        )
        self.loader = NeighbourLoader(
            known,
            norms,
            cap=config.max_neighbors,
            batch_size=config.batch_size,
            pairs=config.pairs_per_epoch,
            newcomers=config.newcomers,
            seed=seed,
            threads=threads,
            memory=memory,
        )
        statistics = known.statistics()
        self.deviation = statistics.deviation
        if validated:  # pairs are asked on them; else they would take room for nothing
            self.statistics = statistics

    def resume(self, state: dict[str, Any] | None) -> list[dict[str, Any]]:
        """Go back to where a checkpoint was saved; returns its history."""
        if state is None:
            return []
        self.average.load_state_dict(state["model"])
        self.model.load_state_dict(state["training"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.averaging.steps = state["steps"]
        history: list[dict[str, Any]] = state["history"]
        logger.info("resuming after epoch %d", len(history))
        return history

    def state(self, history: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "model": self.average.state_dict(),
            "training": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "steps": self.averaging.steps,
            "history": history,
        }

    def epoch(self, epoch: int, progress: bool) -> dict[str, Any]:
        """One epoch of steps; returns their mean squared error, the last learning rate and the pairs seen."""
        self.model.train()
        total, pairs, rate = torch.zeros((), dtype=torch.float64, device=self.device), 0, 0.0
        with tqdm(
            desc=f"epoch {epoch}", unit=" pairs", leave=False, disable=None if progress else True
        ) as bar:
            for batch in self.loader.epoch(epoch):
                done = (epoch - 1 + batch.progress) / self.config.epochs
                rate = learning_rate(self.config.learning_rate, done)
                for group in self.optimizer.param_groups:
                    group["lr"] = rate
                total += self.model.gradients(batch.to(self.device)) * len(batch)
                torch.nn.utils.clip_grad_norm_(self.weights, LONGEST_GRADIENT)
                self.optimizer.step()
                self.averaging.update()
                pairs += len(batch)
                bar.update(len(batch))
                del batch  # the last one of a piece would keep all inputs of the piece
        self._set_offset()
        mse = float(total) / max(pairs, 1) * self.deviation**2
        return {"mse": mse, "learning_rate": rate, "pairs": pairs}

    def _set_offset(self) -> None:
        """Make the mean error 0 on training pairs that did not see their own ratings.

        A model that is trained further keeps its offset: the few ratings that it may learn from say little
        about a mean.
        """
        if self.further:
            self.average.offset.copy_(self.model.offset)
            self.average.shrinkage.copy_(self.model.shrinkage)
            return
        self.average.offset.zero_()
        self.average.shrinkage.fill_(1.0)
        if len(self.probe.target):
            steps = self.average.steps(NeighbourBatch.whole(self.probe.inputs))
            self.average.offset.fill_(float(np.mean(self.probe.target - steps, dtype=np.float64)))

    def validate(self, pairs: Pairs) -> float:
        """Set the shrinkage by the validation pairs; returns their RMSE after it."""
        errors, steps = [], []
        pieces = read_in_pieces(
            self.statistics,
            pairs.user,
            pairs.item,
            cap=self.config.max_neighbors,
            norms=self.model.norms,
            threads=self.threads,
            size=PIECE,
        )
        for low, inputs in pieces:
            steps.append(self.average.steps(NeighbourBatch.whole(inputs)))
            errors.append(pairs.rating[low : low + len(inputs)] - inputs.base)
        step = np.concatenate(steps).astype(np.float64) * self.deviation
        error = np.concatenate(errors).astype(np.float64)
        share = float(np.clip(float(step @ error) / max(float(step @ step), 1e-12), 0.0, 1.0))
        self.shrink(share)
        return float(np.sqrt(np.mean((error - share * step) ** 2)))

    def shrink(self, share: float) -> None:
        """Keep but a share, 0..1, of the steps from the biases."""
        self.average.shrinkage.mul_(share)
        self.average.offset.mul_(share)

    def check(self, epoch: int, rmse: float | None) -> None:
        """Raise if a weight or the validation error is not finite."""
        weights = sum(p.detach().double().abs().sum().item() for p in self.weights)
        if not math.isfinite(weights + (rmse or 0.0)):
            raise TrainingError(
                f"the weights are not finite after epoch {epoch}",
                got=weights,
                remedy=f"lower --learning-rate (now {self.config.learning_rate:g})",
            )


def _line(record: Mapping[str, Any], epochs: int) -> str:
    rmse = record["validation_rmse"]
    return (
        f"epoch {record['epoch']:3d}/{epochs}  mse {record['mse']:.4f}"
        + (f"  validation RMSE {rmse:.4f}" if rmse is not None else "")
        + f"  {record['seconds']:.1f} s  {record['pairs_per_second']:,.0f} pairs/s"
    )
