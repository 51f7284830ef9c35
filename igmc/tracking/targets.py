"""What ``--track`` takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from igmc.errors import ConfigError
from igmc.tracking.callback import Callback
from igmc.tracking.mlflow import MLflow
from igmc.tracking.tensorboard import TensorBoard
from igmc.tracking.wandb import WandB

__all__ = ["Targets", "callbacks_for"]

Targets = str | Path | Sequence[str | Path] | None


def callbacks_for(track: Targets) -> list[Callback]:
    """The callbacks that targets stand for.

    Args:
        track: one target or several: a folder for TensorBoard, "wandb:PROJECT" or "mlflow:URI". An empty
            project or URI is the default of `WandB` or `MLflow`.

    Raises:
        ConfigError: on another prefix.
        MissingExtraError: without the library of a target.
        IgmcError: if a target cannot be written.
    """
    if track is None:
        return []
    return [_callback(one) for one in ([track] if isinstance(track, str | Path) else track)]


def _callback(target: str | Path) -> Callback:
    prefix = re.match(r"([A-Za-z]\w+):", target) if isinstance(target, str) else None
    if prefix is None:
        return TensorBoard(target)
    rest = str(target)[prefix.end() :]
    if prefix[1] == "wandb":
        return WandB(rest) if rest else WandB()
    if prefix[1] == "mlflow":
        return MLflow(rest or None)
    raise ConfigError(
        "unknown tracker",
        got=target,
        allowed="a folder for TensorBoard, wandb:PROJECT, mlflow:URI",
        remedy="for a folder of this name, write ./ in front of it",
    )
