"""The features of users and items that a run was trained with, kept in its folder to serve from."""

from __future__ import annotations

from typing import Any

import torch

from igmc.ratings import SideInformation
from igmc.training import RunFolder, as_tensors, load_checkpoint, save_checkpoint

__all__ = ["SIDE_FILE", "load_side", "save_side"]

SIDE_FILE = "side_features.ckpt"


def save_side(folder: RunFolder, side: SideInformation) -> None:
    """Write them, atomically."""
    save_checkpoint(folder.path / SIDE_FILE, as_tensors(side.state()))


def load_side(folder: RunFolder) -> SideInformation:
    """Read them.

    Raises:
        CheckpointError: if they are missing or damaged.
    """
    return SideInformation.from_state(_as_arrays(load_checkpoint(folder.path / SIDE_FILE)))


def _as_arrays(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.numpy()
    if isinstance(value, dict):
        return {name: _as_arrays(part) for name, part in value.items()}
    return [_as_arrays(part) for part in value] if isinstance(value, list) else value
