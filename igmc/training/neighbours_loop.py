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
from igmc.loading import MEMORY, CrossFit, Knowledge, KnownRatings, NeighbourBatch, NeighbourLoader, Probe
from igmc.progress import step, working_on
from igmc.ranks import ALONE, Ranks
from igmc.ratings import Pairs
from igmc.threads import away
from igmc.training.averaging import WeightAverage
from igmc.training.calibration import calibration
from igmc.training.checkpoint import as_tensors
from igmc.training.checkpointer import Checkpointer
from igmc.training.ensemble import chosen_epochs
from igmc.training.first_weights import first_ensemble
from igmc.training.interval_pairs import IntervalPairs
from igmc.training.one_cycle import WARM_UP, learning_rate
from igmc.training.step import ensemble_gradients

__all__ = ["fit_neighbours"]

logger = logging.getLogger(__name__)

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
    keeps_offset: bool = False,
    ranks: Ranks = ALONE,
) -> list[dict[str, Any]]:
    """Train for all epochs; resume after the last one of the checkpointer.

    AdamW on the squared error, with one cycle of the learning rate and averaged weights. Each member holds
    out a tenth of the ratings, at most about 4,000; after each epoch these calibrate the shrinkage and the
    offset of all members, against overfitting on small data. All random draws depend only on the seed and the
    epoch: an interrupted and resumed run gives bitwise equal results on a CPU.

    A finished training continues with the rest of a longer learning-rate cycle.

    Args:
        known: the ratings of the training part.
        validation: the pairs for the selection of the epoch; None for fixed epochs.
        config: of the network and its training.
        checkpointer: where to resume from, and where to save.
        device: to train on.
        seed: of all random draws.
        threads, memory: see `NeighbourLoader`.
        progress: show a bar per epoch, if stderr is a terminal.
        monitor: called after each epoch with its record; what it raises ends the training.
        start: state of a `NeighboursEnsemble` to begin with; the first weights are drawn if None. The norms
            are those of the ratings here.
        keeps_offset: keep offset and shrinkage of `start`, which few pairs cannot estimate.
        ranks: processes that train together, each on its part of every batch; only the first reads and saves
            checkpoints, measures and logs.

    Returns:
        One record per epoch: epoch, mse (of the training steps, in squared ratings), learning_rate (at its
        end), validation_rmse (None without a validation part), offset (in deviations), shrinkage, seconds,
        pairs_per_second.

    Raises:
        TrainingError: if the loss or a weight is not finite; the checkpoints before that stay.
        CheckpointError: if the checkpoint to resume from is damaged.
    """
    run = _Training(known, config, device, seed, threads, memory, start, keeps_offset, ranks)
    history = run.resume(ranks.of_first(checkpointer.latest))
    selection = RunConfig(network="neighbours", neighbours=config).training
    while len(history) < config.epochs:
        epoch = len(history) + 1
        began, inputs = time.perf_counter(), run.loader.seconds["inputs"]
        record = {"epoch": epoch, **away(run.epoch, epoch, progress)}
        seconds = time.perf_counter() - began
        record |= {
            "validation_rmse": ranks.of_first(run.measured, epoch, validation),
            "offset": float(run.average.offset),
            "shrinkage": float(run.average.shrinkage),
            "seconds": seconds,
            "pairs_per_second": record.pop("pairs") / seconds,
            "inputs_seconds": run.loader.seconds["inputs"] - inputs,
        }
        history.append(record)
        if ranks.first:
            keep = {epoch, *chosen_epochs(selection, [record["validation_rmse"] for record in history])}
            checkpointer.save_epoch(epoch, run.state(history), keep)
            logger.info("%s", _line(record, config.epochs))
            if monitor is not None:
                monitor(record)
    return history


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
        keeps_offset: bool,
        ranks: Ranks,
    ) -> None:
        self.keeps_offset, self.ranks = keeps_offset, ranks
        self.config, self.device, self.threads = config, device, threads
        self.model = first_ensemble(config, seed, threads, start, keeps_offset)
        cap, self.deviation = config.max_neighbors, known.statistics().deviation
        self.folds = CrossFit(
            known,
            config.estimators,
            newcomers=config.newcomers,
            pairs=config.pairs_per_epoch,
            seed=seed,
            dates=config.date_kind,
            threads=threads,
        )
        self.model.norms = norms = Probe.norms(self.folds, cap=cap, threads=threads)
        self.probes = [
            Probe.of(self.folds, norms, cap=cap, draw=member + 1, threads=threads)
            for member in range(0 if keeps_offset else config.members)
        ]
        self.model.to(device)
        self.average = copy.deepcopy(self.model)
        self.weights = list(self.model.parameters())
        self.averaging = WeightAverage(self.weights, list(self.average.parameters()), AVERAGE_MEMORY)
        self.optimizer = torch.optim.AdamW(
            self.weights, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
        )
        self.loader = NeighbourLoader(
            self.folds,
            norms,
            cap=cap,
            batch_size=config.batch_size,
            seed=seed,
            threads=threads,
            memory=memory,
            left_out=[probe.rows for probe in self.probes],
            ranks=ranks,
        )
        self.intervals = self.probes and IntervalPairs(self.folds, self.probes, norms, cap, seed, threads)
        self._whole: Knowledge | None = None  # made when validation pairs are asked on it

    def resume(self, state: dict[str, Any] | None) -> list[dict[str, Any]]:
        """Go back to where a checkpoint was saved; returns its history."""
        if state is None:
            return []
        self.average.load_state_dict(state["model"])
        self.model.load_state_dict(state["training"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.averaging.steps = state["steps"]
        history: list[dict[str, Any]] = state["history"]
        logger.info("resuming after epoch %d%s", len(history), self.ranks.other_number(state))
        done, epochs = len(history), self.config.epochs
        rate = learning_rate(self.config.learning_rate, done / epochs)
        if done < epochs and done / epochs > WARM_UP and history[-1]["learning_rate"] < 0.999 * rate:
            logger.info(
                "the learning rate rises to %.2g, which %d epochs have at this place, and falls from there; "
                "since epochs 1 to %d were a whole cycle, it does not end as %d epochs at once would",
                *(rate, epochs, done, epochs),
            )
        return history

    def state(self, history: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "model": self.average.state_dict(),
            "training": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "steps": self.averaging.steps,
            "history": history,
            "ranks": self.ranks.size,
            "intervals": as_tensors(self.intervals.fit(self.average).state()) if self.intervals else None,
        }

    def epoch(self, epoch: int, progress: bool) -> dict[str, Any]:
        """One epoch of steps; returns their mean squared error, the last learning rate and the pairs seen."""
        self.model.train()
        working_on(f"training, epoch {epoch}")
        total, pairs, rate = torch.zeros((), dtype=torch.float64, device=self.device), 0, 0.0
        with tqdm(
            desc=f"epoch {epoch}", unit=" pairs", leave=False, disable=None if progress else True
        ) as bar:
            for batch in self.loader.epoch(epoch):
                done = (epoch - 1 + batch.progress) / self.config.epochs
                rate = learning_rate(self.config.learning_rate, done)
                for group in self.optimizer.param_groups:
                    group["lr"] = rate
                loss = ensemble_gradients(self.model, batch.to(self.device), self.ranks)
                total += loss * batch.total
                for member in self.model.members:  # each on its own, as if it were trained alone
                    torch.nn.utils.clip_grad_norm_(member.parameters(), LONGEST_GRADIENT)
                self.optimizer.step()
                self.averaging.update()
                pairs += batch.total
                bar.update(batch.total)
                step(f"{pairs:,} pairs")
                del batch  # the last one of a piece would keep all inputs of the piece
        if self.ranks.first:
            self._calibrate()
        mse = float(total) / max(pairs, 1) * self.deviation**2
        return {"mse": mse, "learning_rate": rate, "pairs": pairs}

    def _calibrate(self) -> None:
        """Set shrinkage and offset by what each member says of the ratings that it did not learn from.

        A regression of what the biases leave of them on the steps, with a prior that the steps are right.
        With `keeps_offset` they stay what they were: the few ratings that it may learn from say little.
        """
        if self.keeps_offset:
            self.average.offset.copy_(self.model.offset)
            self.average.shrinkage.copy_(self.model.shrinkage)
            return
        steps = [
            self.average.steps(NeighbourBatch.whole(probe.inputs), member=member)
            for member, probe in enumerate(self.probes)
        ]
        shrinkage, offset = calibration(
            np.concatenate(steps), np.concatenate([probe.target for probe in self.probes])
        )
        self.average.shrinkage.fill_(shrinkage)
        self.average.offset.fill_(offset)

    def measured(self, epoch: int, validation: Pairs | None) -> float | None:
        """The RMSE on the validation pairs, if there are any, once all is known to be finite."""
        rmse = None if validation is None else away(self._validate, validation)
        self._check(epoch, rmse)
        return rmse

    def _validate(self, pairs: Pairs) -> float:
        squares = 0.0
        if self._whole is None:
            self._whole = self.folds.whole()
        pieces = self._whole.read_in_pieces(
            pairs.user,
            pairs.item,
            pairs.time,
            cap=self.config.max_neighbors,
            norms=self.model.norms,
            threads=self.threads,
            size=PIECE,
        )
        for low, inputs in pieces:
            steps = self.average.steps(NeighbourBatch.whole(inputs))
            answers = inputs.base + steps.astype(np.float64) * self._whole.deviation
            squares += float(np.sum((pairs.rating[low : low + len(inputs)] - answers) ** 2))
        return math.sqrt(squares / max(len(pairs), 1))

    def _check(self, epoch: int, rmse: float | None) -> None:
        """Raise if a weight or the validation error is not finite."""
        weights = sum(p.detach().double().abs().sum().item() for p in self.weights)
        if not math.isfinite(weights + (rmse or 0.0)):
            raise TrainingError(
                f"the weights are not finite after epoch {epoch}",
                got=weights,
                remedy=f"lower --learning-rate (now {self.config.learning_rate:g})",
            )


def _line(record: Mapping[str, Any], epochs: int) -> str:
    rmse = "" if record["validation_rmse"] is None else f"  validation RMSE {record['validation_rmse']:.4f}"
    return (
        f"epoch {record['epoch']:3d}/{epochs}  mse {record['mse']:.4f}{rmse}"
        f"  {record['seconds']:.1f} s  {record['pairs_per_second']:,.0f} pairs/s"
    )
