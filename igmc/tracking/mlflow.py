"""Trainings in MLflow."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from igmc.errors import IgmcError, MissingExtraError
from igmc.tracking.callback import Callback, figure_name

__all__ = ["MLflow"]

_BATCH = 100  # parameters that MLflow takes in one call


class MLflow(Callback):
    """Logs settings, the figures of each epoch and final figures to an MLflow tracking server or database.

    Every training is one run of the experiment; its settings are parameters such as ``train.epochs``. A
    resumed training is a new run of the same name.

    Args:
        uri: of the tracking store, such as "http://localhost:5000" or "sqlite:///mlflow.db"; if None,
            ``MLFLOW_TRACKING_URI``, or else MLflow's own default.
        experiment: its name; created on first use.

    Raises:
        MissingExtraError: without mlflow.
        IgmcError: if MLflow cannot use the store.
    """

    def __init__(self, uri: str | None = None, experiment: str = "igmc") -> None:
        try:
            from mlflow.tracking import MlflowClient
        except ImportError as error:
            raise MissingExtraError("tracking needs mlflow", extra="mlflow") from error
        self._uri, self._runs = uri, dict[str, str]()
        with _asking(uri):
            self._client = MlflowClient(uri)
            found = self._client.get_experiment_by_name(experiment)
            self._experiment = (
                self._client.create_experiment(experiment) if found is None else found.experiment_id
            )

    def on_train_begin(self, run: str, settings: Mapping[str, Any]) -> None:
        """Start a run with the settings as parameters; see `Callback`."""
        from mlflow.entities import Param

        params = [Param(key, str(value)) for key, value in _flat(settings)]
        with _asking(self._uri):
            made = self._client.create_run(self._experiment, run_name=run)
            self._runs[run] = made.info.run_id
            for first in range(0, len(params), _BATCH):
                self._client.log_batch(made.info.run_id, params=params[first : first + _BATCH])

    def on_epoch_end(self, run: str, record: Mapping[str, Any]) -> None:
        """Log the figures with the epoch as step; see `Callback`."""
        figures = {name: value for name, value in record.items() if name != "epoch" and value is not None}
        self._log(run, figures, int(record["epoch"]))

    def on_train_end(self, run: str, metrics: Mapping[str, float] | None) -> None:
        """Log final figures and end the run, as failed without them; see `Callback`."""
        self._log(run, metrics or {}, 0)
        with _asking(self._uri):
            self._client.set_terminated(self._runs.pop(run), "FAILED" if metrics is None else "FINISHED")

    def _log(self, run: str, figures: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(_allowed(name), float(value), now, step) for name, value in figures.items()]
        with _asking(self._uri):
            self._client.log_batch(self._runs[run], metrics=metrics)


@contextmanager
def _asking(uri: str | None) -> Iterator[None]:
    """Turn what MLflow raises into an IgmcError."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, ImportError) as error:
        raise IgmcError(
            f"MLflow cannot use its tracking store: {str(error).rstrip('.')}",
            got=uri,
            allowed="the URI of a server or database, such as http://localhost:5000 or sqlite:///mlflow.db",
        ) from error


def _allowed(name: str) -> str:
    """A name of a figure in characters that MLflow takes: "test/ndcg_at_10"."""
    return re.sub(r"[^\w./ -]", "_", figure_name(name).replace("@", "_at_"))


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
