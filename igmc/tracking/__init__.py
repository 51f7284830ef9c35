"""Callbacks that follow a training, and those that send it to TensorBoard, Weights & Biases and MLflow."""

from igmc.tracking.callback import Callback, TrackedTraining, figure_name
from igmc.tracking.mlflow import MLflow
from igmc.tracking.targets import Targets, callbacks_for
from igmc.tracking.tensorboard import TensorBoard
from igmc.tracking.wandb import WandB

__all__ = [
    "Callback",
    "MLflow",
    "Targets",
    "TensorBoard",
    "TrackedTraining",
    "WandB",
    "callbacks_for",
    "figure_name",
]
