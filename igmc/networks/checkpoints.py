"""Loads models from the checkpoints of a run."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import nn

from igmc.errors import CheckpointError
from igmc.training import RunFolder

__all__ = ["load_models"]

Model = TypeVar("Model", bound=nn.Module)


def load_models(folder: RunFolder, epochs: Sequence[int], like: Model, device: torch.device) -> list[Model]:
    """The models of some epochs, on a device and with dropout off.

    Args:
        folder: of the run.
        epochs: whose checkpoints are there.
        like: a model of the run's shape; not modified.
        device: of the models.

    Raises:
        CheckpointError: if a checkpoint is missing, damaged, or of a model of another shape.
    """
    models = []
    for epoch in epochs:
        model, state = copy.deepcopy(like), folder.load_epoch(epoch)
        try:
            model.load_state_dict(state["model"])
        except (KeyError, RuntimeError) as error:
            raise CheckpointError(
                f"the checkpoint of epoch {epoch} in {folder.path} does not fit this model",
                remedy="train again with --out naming a new folder",
            ) from error
        models.append(model.to(device).eval())
    return models
