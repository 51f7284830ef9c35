"""The protocol of callbacks, and the calls that a training makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

__all__ = ["Callback", "TrackedTraining", "figure_name"]

_SPEED = ("seconds", "subgraphs_per_second", "pairs_per_second", "inputs_seconds")


class Callback:
    """Base class of what follows trainings: override the methods that you need.

    Every training calls `on_train_begin` once, `on_epoch_end` after each epoch and `on_train_end` once. An
    exception raised by a method ends the training. When torchrun starts several processes, only the first
    one makes these calls.
    """

    def on_train_begin(self, run: str, settings: Mapping[str, Any]) -> None:
        """Called before the first epoch.

        Args:
            run: name of the training; parts separated by slashes are groups, as in
                "demo/random_80_20/seed-1/mf". If a model is trained again on training and validation ratings,
                that training has the name of the first one with "-2" appended.
            settings: all settings of the run or of the model, nested as in ``config.json``.
        """

    def on_epoch_end(self, run: str, record: Mapping[str, Any]) -> None:
        """Called after each epoch.

        A resumed training continues with the number of the next epoch.

        Args:
            run: as in `on_train_begin`.
            record: ``epoch``, counted from 1, and figures by name, such as ``mse``, ``learning_rate``,
                ``validation_rmse`` and ``seconds``; a figure that was not measured is None.
        """

    def on_train_end(self, run: str, metrics: Mapping[str, float] | None) -> None:
        """Called after the last epoch, and when a training fails.

        Args:
            run: as in `on_train_begin`.
            metrics: final figures by name, such as ``test_rmse``; None if the training failed, was
                interrupted, or was pruned by a search.
        """


class TrackedTraining:
    """Calls the callbacks for one training; use it in a ``with`` statement.

    Args:
        callbacks: to call, in this order.
        run: name of the training.
        settings: of the run or the model.
    """

    def __init__(self, callbacks: Sequence[Callback], run: str, settings: Mapping[str, Any]) -> None:
        self._callbacks, self._name, self._settings = callbacks, run, settings
        self._begun: list[Callback] = []
        self._trainings, self._epoch = 1, 0
        self._metrics: Mapping[str, float] | None = None

    @property
    def _run(self) -> str:
        return self._name if self._trainings == 1 else f"{self._name}-{self._trainings}"

    @property
    def monitor(self) -> Callable[[Mapping[str, Any]], None] | None:
        """The function to call with the record of each epoch; None without callbacks."""
        return self._after_epoch if self._callbacks else None

    def finish(self, metrics: Mapping[str, float]) -> None:
        """Set the final figures. A training that leaves the ``with`` statement without them has failed."""
        self._metrics = metrics

    def __enter__(self) -> Self:
        try:
            self._begin()
        except BaseException:
            self._end(None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(self._metrics if error is None else None)

    def _after_epoch(self, record: Mapping[str, Any]) -> None:
        epoch = int(record["epoch"])
        if epoch <= self._epoch:  # the model is trained again
            self._end({})
            self._trainings += 1
            self._begin()
        self._epoch = epoch
        for callback in self._callbacks:
            callback.on_epoch_end(self._run, record)

    def _begin(self) -> None:
        for callback in self._callbacks:
            callback.on_train_begin(self._run, self._settings)
            self._begun.append(callback)

    def _end(self, metrics: Mapping[str, float] | None) -> None:
        begun, self._begun = self._begun, []
        for callback in begun:
            callback.on_train_end(self._run, metrics)


def figure_name(name: str) -> str:
    """The name of a figure in the trackers, whose groups are set off by slashes.

    >>> [figure_name(name) for name in ("mse", "validation_rmse", "test_rmse", "seconds", "learning_rate")]
    ['train/mse', 'validation/rmse', 'test/rmse', 'speed/seconds', 'learning_rate']
    """
    if name == "learning_rate":
        return name
    if name in _SPEED:
        return f"speed/{name}"
    for group in ("validation", "test"):
        if name.startswith(f"{group}_"):
            return f"{group}/{name.removeprefix(f'{group}_')}"
    return f"train/{name}"
