"""Selection of checkpoints, and predictions of models over a loader."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from igmc.config import TrainConfig
from igmc.loading import Batch, Loader

__all__ = ["chosen_epochs", "predict", "predict_batches", "predict_samples", "should_stop"]


def chosen_epochs(config: TrainConfig, validation: Sequence[float | None]) -> list[int]:
    """The epochs whose checkpoints make the ensemble, the single checkpoint first.

    "fixed": the last epoch, and those `ensemble_every` epochs before it and each other. "validation": the
    epochs with the lowest validation RMSE, the best first; the earlier where two are equal.

    Args:
        config: selection, epochs, and the ensemble's size and spacing.
        validation: RMSE after each epoch so far, from epoch 1; not looked at under "fixed".

    >>> chosen_epochs(TrainConfig(selection="fixed", epochs=80), [])
    [80, 70, 60, 50]
    >>> chosen_epochs(TrainConfig(selection="validation", ensemble_size=2), [0.9, 0.7, 0.8, 0.7])
    [2, 4]
    """
    if config.selection == "fixed":
        last = config.epochs
        spaced = range(last, 0, -config.ensemble_every)
        return list(spaced)[: config.ensemble_size]
    scores = [(score, epoch) for epoch, score in enumerate(validation, start=1) if score is not None]
    return [epoch for _, epoch in sorted(scores)[: config.ensemble_size]]


def should_stop(config: TrainConfig, validation: Sequence[float | None]) -> bool:
    """Whether training ends after the epochs so far: at the last epoch, or by early stopping.

    If the learning rate decays, patience is counted from its first decay: most of the gain of a lower rate
    comes at once, so a plateau before it is not a reason to stop.
    """
    if len(validation) >= config.epochs:
        return True
    if config.selection == "fixed" or not validation:
        return False
    best = chosen_epochs(config, validation)[0]
    falls = config.decay_factor < 1.0 and config.decay_every < config.epochs
    return len(validation) - max(best, config.decay_every if falls else 0) >= config.patience


def predict(model: nn.Module, loader: Loader, device: torch.device) -> NDArray[np.float32]:
    """Predictions for all pairs of a loader, in its order, float32 [P], not clipped; dropout is off."""
    predictions: NDArray[np.float32] = predict_batches([model], loader.epoch(0), device)[0]
    return predictions


def predict_samples(
    models: Sequence[nn.Module], first: Loader, others: Loader | None = None, *, device: torch.device
) -> NDArray[np.float32]:
    """Predictions of M models for the P pairs of a loader, each on a sample of its own, float32 [M, P].

    Args:
        models: model k reads sample k, as in `igmc.networks.rgcn.scoring.Scorer`.
        first: gives sample 0.
        others: gives sample k as its epoch k; None where nothing is sampled, and all models read the same.
        device: of the models.
    """
    if others is None:
        return predict_batches(models, first.epoch(0), device)
    samples = [first.epoch(0), *(others.epoch(k) for k in range(1, len(models)))]
    return np.concatenate(
        [predict_batches([model], batches, device) for model, batches in zip(models, samples, strict=True)]
    )


def predict_batches(
    models: Sequence[nn.Module], batches: Iterable[Batch], device: torch.device
) -> NDArray[np.float32]:
    """Predictions of M models for all P pairs of some batches, float32 [M, P], not clipped; no dropout."""
    parts = [np.empty((len(models), 0), np.float32)]
    for model in models:
        model.eval()
    with torch.inference_mode():
        for batch in batches:
            there = batch.to(device)
            parts.append(torch.stack([model(there) for model in models]).cpu().numpy())
    return np.concatenate(parts, axis=1)
