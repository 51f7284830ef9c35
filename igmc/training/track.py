"""Curves of trainings for TensorBoard."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from igmc.errors import MissingExtraError
from igmc.files import writing

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

__all__ = ["Tracker"]

_SPEED = ("seconds", "subgraphs_per_second")


class Tracker:
    """Writes what is measured at each epoch where ``tensorboard --logdir FOLDER`` shows it, run by run.

    Use it in a ``with`` statement, which closes the files.

    Args:
        folder: for all runs, made if need be. If None, nothing is written and there are no monitors.

    Raises:
        MissingExtraError: without TensorBoard.
        IgmcError: if the folder cannot be written.
    """

    def __init__(self, folder: str | Path | None) -> None:
        self._folder = None if folder is None else Path(folder)
        self._curves: list[_Curves] = []
        if self._folder is None:
            return
        try:
            import torch.utils.tensorboard  # noqa: F401
        except ImportError as error:
            raise MissingExtraError(
                "tracking needs TensorBoard", remedy="pip install 'igmc[track]'"
            ) from error
        with writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for curves in self._curves:
            curves.close()
        self._curves.clear()

    def monitor(self, run: str) -> Callable[[Mapping[str, Any]], None] | None:
        """What writes the records of a run, given to it after each epoch; None if nothing is written.

        Losses become ``train/*``, what was measured on validation ``validation/*``, times ``speed/*``, beside
        ``learning_rate``. A run that resumes goes on with its curves. If the epochs begin again, as they do
        when a model is fitted once more to training and validation ratings, the curves of the second training
        are those of "<run>-2", and so on.

        Args:
            run: its name; a slash puts it into a group.
        """
        if self._folder is None:
            return None
        place = self._folder.joinpath(*(_file_name(part) for part in run.split("/")))
        curves = _Curves(place)
        self._curves.append(curves)
        return curves.add


class _Curves:
    """The files of one run."""

    def __init__(self, place: Path) -> None:
        self._place, self._trainings, self._epoch = place, 0, 0
        self._writer: SummaryWriter | None = None

    def add(self, record: Mapping[str, Any]) -> None:
        epoch = int(record["epoch"])
        if self._writer is None or epoch <= self._epoch:
            self.close()
            self._writer = self._opened(epoch)
        self._epoch = epoch
        for name, value in record.items():
            if name != "epoch" and value is not None:
                self._writer.add_scalar(_tag(name), value, epoch)
        self._writer.flush()  # whoever looks on sees each epoch, also of a run that is killed

    def _opened(self, epoch: int) -> SummaryWriter:
        from torch.utils.tensorboard import SummaryWriter

        self._trainings += 1
        suffix = f"-{self._trainings}" if self._trainings > 1 else ""
        place = self._place.with_name(self._place.name + suffix)
        with writing(place):
            # What an earlier process wrote of this epoch and later ones is void.
            return SummaryWriter(str(place), purge_step=epoch)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _tag(name: str) -> str:
    if name == "learning_rate":
        return name
    if name in _SPEED:
        return f"speed/{name}"
    group, mark, rest = name.partition("validation_")
    return f"validation/{rest}" if mark and not group else f"train/{name}"


def _file_name(text: str) -> str:
    return re.sub(r"[^\w.,=@-]+", "_", text).strip(".") or "_"
