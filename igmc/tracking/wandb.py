"""Trainings in Weights & Biases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from igmc.errors import IgmcError, MissingExtraError
from igmc.tracking.callback import Callback, figure_name

__all__ = ["WandB"]


class WandB(Callback):
    """Sends settings, the figures of each epoch and final figures to a project of Weights & Biases.

    Every training is one run of the project; the name up to its last slash is the group. The environment
    variables of wandb apply: ``WANDB_MODE=offline`` writes to ``./wandb`` only, ``WANDB_DIR`` names another
    folder. A resumed training is a new run of the same name.

    Args:
        project: name of the project; created on first use.

    Raises:
        MissingExtraError: without wandb.
    """

    def __init__(self, project: str = "igmc") -> None:
        try:
            import wandb
        except ImportError as error:
            raise MissingExtraError("tracking needs wandb", extra="wandb") from error
        self._wandb, self._project = wandb, project
        self._runs: dict[str, Any] = {}

    def on_train_begin(self, run: str, settings: Mapping[str, Any]) -> None:
        """Start a run; see `Callback`.

        Raises:
            IgmcError: if wandb refuses, as it does without an API key.
        """
        try:
            self._runs[run] = self._wandb.init(
                project=self._project,
                name=run,
                group=run.rpartition("/")[0] or None,
                config=dict(settings),
                reinit="create_new",
            )
        except self._wandb.Error as error:
            raise IgmcError(
                f"wandb cannot start a run: {str(error).rstrip('.')}",
                remedy="run 'wandb login', or set WANDB_MODE=offline to track without a server",
            ) from error

    def on_epoch_end(self, run: str, record: Mapping[str, Any]) -> None:
        """Log the figures with the epoch as step; see `Callback`."""
        figures = {figure_name(k): v for k, v in record.items() if k != "epoch" and v is not None}
        self._runs[run].log(figures, step=int(record["epoch"]))

    def on_train_end(self, run: str, metrics: Mapping[str, float] | None) -> None:
        """Put final figures into the summary and finish the run, as failed without them; see `Callback`."""
        ended = self._runs.pop(run)
        ended.summary.update({figure_name(name): value for name, value in (metrics or {}).items()})
        ended.finish(exit_code=1 if metrics is None else 0)
