"""The training loop."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from igmc.config import TrainConfig
from igmc.errors import TrainingError
from igmc.loading import Batch, Loader
from igmc.models import IGMC
from igmc.progress import step as progressed
from igmc.progress import working_on
from igmc.ranks import ALONE, Ranks
from igmc.training.checkpointer import Checkpointer
from igmc.training.ensemble import chosen_epochs, predict, should_stop
from igmc.training.intercept import set_intercept
from igmc.training.step import step_gradients
from igmc.training.stopwatch import Stopwatch, shares

__all__ = ["fit"]

logger = logging.getLogger(__name__)

FORWARD_EVERY = 16  # steps between forward passes that a profile times alone
CHECK_EVERY = 50  # steps between looks at the losses, which cost a GPU its lead


def fit(
    model: IGMC,
    train: Loader,
    validation: Loader | None,
    config: TrainConfig,
    checkpointer: Checkpointer,
    device: torch.device,
    *,
    progress: bool = True,
    profile: bool = False,
    monitor: Callable[[Mapping[str, Any]], None] | None = None,
    keeps_intercept: bool = False,
    ranks: Ranks = ALONE,
) -> list[dict[str, Any]]:
    """Train until `should_stop`; resume after the last epoch of the checkpointer.

    After each epoch the intercept is set so that the mean error on training pairs is 0, and the model, the
    optimizer and the history are saved. Training continues from its own intercept, so that this does not
    affect the weights. All random draws depend only on the seed and the epoch, so that an interrupted and
    resumed run gives bitwise equal results on a CPU.

    Args:
        model: on any device; moved to `device`. It ends in the state of the last saved epoch.
        train: the training pairs.
        validation: the pairs for early stopping and checkpoint selection; None under "fixed".
        config: of the training.
        checkpointer: where to resume from, and where to save: a run folder, or memory.
        device: to train on.
        progress: show a bar per epoch, if stderr is a terminal.
        profile: log the share of each stage of the work when done.
        monitor: called after each epoch with its record; what it raises ends the training.
        keeps_intercept: do not adjust the intercept, whose mean error few pairs cannot estimate.
        ranks: processes that train together, each on its part of `train`. Only the first reads and saves
            checkpoints, measures and logs; the models of the others end with the intercept of training.

    Returns:
        One record per epoch: epoch, mse (of the training steps, dropout on), arr (the penalty, not weighted),
        learning_rate, offset (by which the intercept was moved, in ratings), validation_rmse (None under
        "fixed"), seconds, subgraphs_per_second.

    Raises:
        TrainingError: if the loss or a weight is not finite; the checkpoints before that stay.
        CheckpointError: if the checkpoint to resume from is damaged.
    """
    model.to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, fused=True)
    watch = Stopwatch(device if profile else None)
    history, trained = _resumed(model, optimizer, ranks.of_first(checkpointer.latest), config, ranks)
    while not should_stop(config, [record["validation_rmse"] for record in history]):
        epoch = len(history) + 1
        rate = _set_rate(optimizer, config, epoch)
        _put_back(model, trained)
        start = time.perf_counter()
        mse, arr = _train_epoch(model, train, optimizer, config.arr, epoch, device, watch, progress, ranks)
        seconds = time.perf_counter() - start
        trained = model.intercept.detach().clone()
        moved = None if keeps_intercept else train
        offset, rmse = ranks.of_first(_measured, model, moved, validation, device)
        _check_weights(model, rmse, epoch, len(train), rate)
        history.append(
            {"epoch": epoch, "mse": mse, "arr": arr, "learning_rate": rate, "offset": offset}
            | {"validation_rmse": rmse, "seconds": seconds}
            | {"subgraphs_per_second": len(train.source.pairs) / seconds}
        )
        if ranks.first:
            keep = {epoch, *chosen_epochs(config, [record["validation_rmse"] for record in history])}
            checkpointer.save_epoch(epoch, _state(model, trained, optimizer, history, ranks), keep)
            logger.info("%s", _line(history[-1], config.epochs))
            if monitor is not None:
                monitor(history[-1])
    if profile and ranks.first:
        stages = watch.divided("forward and backward", "forward", "backward")
        logger.info("%s", shares(stages, train.seconds))
    return history


def _state(
    model: IGMC,
    trained: Tensor,
    optimizer: torch.optim.Optimizer,
    history: list[dict[str, Any]],
    ranks: Ranks,
) -> dict[str, Any]:
    """What a checkpoint holds; `trained` is the intercept that training goes on from."""
    return {
        "model": model.state_dict(),
        "training": {"intercept": trained},
        "optimizer": optimizer.state_dict(),
        "history": history,
        "ranks": ranks.size,
    }


def _resumed(
    model: IGMC,
    optimizer: torch.optim.Optimizer,
    state: dict[str, Any] | None,
    config: TrainConfig,
    ranks: Ranks,
) -> tuple[list[dict[str, Any]], Tensor]:
    """The history so far, and the intercept to train on from; model and optimizer are put where they were."""
    if state is None:
        return [], model.intercept.detach().clone()
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    history: list[dict[str, Any]] = state["history"]
    logger.info("resuming after epoch %d%s", len(history), ranks.other_number(state))
    if len(history) < config.epochs and should_stop(config, [r["validation_rmse"] for r in history]):
        logger.info("it stopped early, since validation did not improve; no epoch is added")
    trained: Tensor = state.get("training", {}).get("intercept", model.intercept.detach())  # once not moved
    return history, trained.to(model.intercept.device, copy=True)


def _set_rate(optimizer: torch.optim.Optimizer, config: TrainConfig, epoch: int) -> float:
    """Set the learning rate of an epoch, and return it."""
    rate = config.learning_rate * config.decay_factor ** ((epoch - 1) // config.decay_every)
    for group in optimizer.param_groups:
        group["lr"] = rate
    return rate


def _put_back(model: IGMC, intercept: Tensor) -> None:
    """Give the model the intercept that training had come to."""
    with torch.no_grad():
        model.intercept.copy_(intercept)


def _train_epoch(
    model: IGMC,
    loader: Loader,
    optimizer: torch.optim.Optimizer,
    arr_weight: float,
    epoch: int,
    device: torch.device,
    watch: Stopwatch,
    progress: bool,
    ranks: Ranks,
) -> tuple[float, float]:
    """One pass over the training pairs; returns the means of the squared error and of the ARR penalty."""
    model.train()
    working_on(f"training, epoch {epoch}")
    totals = torch.zeros(2, dtype=torch.float64, device=device)
    pairs = 0
    with tqdm(
        total=len(loader.source.pairs),
        desc=f"epoch {epoch}",
        unit=" pairs",
        leave=False,
        disable=None if progress else True,  # None: off when stderr is no terminal
    ) as bar:
        watch.start()
        for step, batch in enumerate(loader.epoch(epoch), start=1):
            batch = batch.to(device)
            watch.lap("waiting for batches")
            if watch.on and step % FORWARD_EVERY == 1:
                _time_forward(model, batch, watch)
            mse, arr = step_gradients(model, batch, arr_weight, ranks)
            watch.lap("forward and backward")
            optimizer.step()
            watch.lap("optimizer")
            totals += torch.stack([mse, arr]) * batch.total
            pairs += batch.total
            bar.update(batch.total)
            progressed(f"{pairs:,} of {len(loader.source.pairs):,} pairs")
            if step % CHECK_EVERY == 0 or step == len(loader):
                mean_mse, mean_arr = (totals / pairs).tolist()
                if not (math.isfinite(mean_mse) and math.isfinite(mean_arr)):
                    rate = optimizer.param_groups[0]["lr"]
                    raise _not_finite("the loss is", mean_mse + mean_arr, epoch, step, rate)
                bar.set_postfix(mse=f"{mean_mse:.4f}", refresh=False)
            watch.lap("bookkeeping")
    return mean_mse, mean_arr


def _time_forward(model: IGMC, batch: Batch, watch: Stopwatch) -> None:
    """Time the forward pass alone, which a step does not end before it goes back."""
    if not watch.laps["forward"]:
        model(batch)  # the first may compile
        watch.start()
    model(batch)
    watch.lap("forward")


def _check_weights(model: IGMC, rmse: float | None, epoch: int, step: int, rate: float) -> None:
    """The last step of an epoch can do harm that no later loss of that epoch shows."""
    total = sum(p.detach().double().abs().sum().item() for p in model.parameters()) + (rmse or 0.0)
    if not math.isfinite(total):
        raise _not_finite("the weights are", total, epoch, step, rate)


def _not_finite(what: str, got: float, epoch: int, step: int, rate: float) -> TrainingError:
    return TrainingError(
        f"{what} not finite in epoch {epoch}, by step {step}",
        got=got,
        remedy=f"lower --learning-rate (now {rate:g}); the checkpoints before this epoch are intact",
    )


def _measured(
    model: IGMC, train: Loader | None, validation: Loader | None, device: torch.device
) -> tuple[float, float | None]:
    """By how much the intercept was moved, if there are pairs to set it by, and the validation RMSE."""
    offset = 0.0 if train is None else set_intercept(model, train, device)
    return offset, None if validation is None else _rmse(model, validation, device)


def _rmse(model: IGMC, loader: Loader, device: torch.device) -> float:
    error = predict(model, loader, device) - loader.source.pairs.rating
    return float(np.sqrt(np.mean(np.square(error, dtype=np.float64))))


def _line(record: Mapping[str, Any], epochs: int) -> str:
    rmse = record["validation_rmse"]
    return (
        f"epoch {record['epoch']:3d}/{epochs}  mse {record['mse']:.4f}  arr {record['arr']:.3g}"
        + (f"  validation RMSE {rmse:.4f}" if rmse is not None else "")
        + f"  {record['seconds']:.1f} s  {record['subgraphs_per_second']:,.0f} subgraphs/s"
    )
