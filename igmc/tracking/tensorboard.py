"""Trainings in TensorBoard."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from igmc.errors import MissingExtraError
from igmc.files import writing
from igmc.tracking.callback import Callback, figure_name

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

__all__ = ["TensorBoard"]


class TensorBoard(Callback):
    """Writes the figures of each epoch to a folder that ``tensorboard --logdir FOLDER`` shows.

    Each training has a folder below it, named after the run. A resumed training continues its curves.

    Args:
        folder: for all trainings; created if it does not exist.

    Raises:
        MissingExtraError: without TensorBoard.
        IgmcError: if the folder cannot be written.
    """

    def __init__(self, folder: str | Path) -> None:
        try:
            import torch.utils.tensorboard  # noqa: F401
        except ImportError as error:
            raise MissingExtraError("tracking needs TensorBoard", extra="track") from error
        self._folder = Path(folder)
        self._writers: dict[str, SummaryWriter] = {}
        with writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)

    def on_epoch_end(self, run: str, record: Mapping[str, Any]) -> None:
        """Write the figures, so that they can be seen at once; see `Callback`."""
        epoch = int(record["epoch"])
        if run not in self._writers:
            self._writers[run] = self._opened(run, epoch)
        writer = self._writers[run]
        for name, value in record.items():
            if name != "epoch" and value is not None:
                writer.add_scalar(figure_name(name), value, epoch)
        writer.flush()

    def on_train_end(self, run: str, metrics: Mapping[str, float] | None) -> None:
        """Close the files; see `Callback`. Final figures are no curves, and not written."""
        if run in self._writers:
            self._writers.pop(run).close()

    def _opened(self, run: str, epoch: int) -> SummaryWriter:
        from torch.utils.tensorboard import SummaryWriter

        place = self._folder.joinpath(*(_file_name(part) for part in run.split("/")))
        with writing(place):
            # What an earlier process wrote of this epoch and later ones is void.
            return SummaryWriter(str(place), purge_step=epoch)


def _file_name(text: str) -> str:
    return re.sub(r"[^\w.,=@-]+", "_", text).strip(".") or "_"
