"""Any number of models on any number of data sets, protocols and seeds, to one report."""

from __future__ import annotations

import itertools
import logging
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from igmc.argument_types import checked_types
from igmc.errors import ConfigError
from igmc.evaluation.cells import Cell, Job, Kept, measure, measure_away
from igmc.evaluation.model_evaluation import ModelEvaluation
from igmc.evaluation.model_spec import ModelLike, ModelSpec
from igmc.evaluation.protocols import Protocol, make_protocol
from igmc.evaluation.report import EvaluationReport, Failure
from igmc.evaluation.validation import check_metrics
from igmc.jobs import LOCAL, Crew, check_executor, drive, workers_for
from igmc.progress import working_on
from igmc.ratings import DataLike, Dataset, Split, load_dataset
from igmc.recommenders import RECOMMENDERS
from igmc.tracking import Callback, Targets, callbacks_for

__all__ = ["evaluate", "several"]

logger = logging.getLogger(__name__)

KS = (5, 10, 20)


@checked_types
def evaluate(
    models: ModelLike | Sequence[ModelLike],
    datasets: DataLike | Sequence[DataLike],
    *,
    protocols: Protocol | str | Sequence[Protocol | str] = ("random_80_20",),
    seeds: int | Sequence[int] = (1,),
    ks: int | Sequence[int] = KS,
    rankings: bool = True,
    metrics: str | Sequence[str] | None = None,
    data_dir: str | Path | None = None,
    home: str | Path | None = None,
    out: str | Path | None = None,
    keep_models: bool = False,
    track: str | Path | Sequence[str | Path] | None = None,
    callbacks: Sequence[Callback] = (),
    workers: int | None = None,
    executor: str = LOCAL,
) -> EvaluationReport:
    """Fit and measure every model on every split, through the same code.

    Of models, data sets, protocols, seeds and lengths there may be one, or a list of them.

    Args:
        models: names of recommenders, with settings if wanted: see `ModelSpec.parse`; or those of
            `igmc.recommenders`, fitted or not, whose settings are taken.
        datasets: names, paths, DataFrames, ...: whatever `igmc.ratings.load.load_dataset` takes.
        protocols: how to split: names with settings, see `igmc.evaluation.protocols.registry.make_protocol`.
        seeds: of split and model.
        ks: lengths of ranked lists.
        rankings: measure full rankings where the protocol allows it. They ask a score of every item for every
            user, which a graph network takes hours for; without them its ratings are measured in minutes.
        metrics: what the tables of the report show; checked before anything is fitted. Everything is
            measured, and there for other tables: see `EvaluationReport.to_markdown`.
        data_dir, home: where raw data are; see `load_dataset`.
        out: folder for the report and for each evaluation as it is done. What is there already is not run
            again, so that a call that was interrupted resumes where it stopped, and models that took long to
            train are kept for other questions. Nothing is written if None.
        keep_models: keep every fitted model in ``out/models``, for `igmc.recommenders.load_recommender`; but
            not those that are trained on the support ratings too, as they cannot fold them in.
        track: where to log all trainings: a folder for TensorBoard, "wandb:PROJECT", "mlflow:URI", or a list.
        callbacks: of your own, see `igmc.tracking.Callback`; called after those of `track`. With one worker.
        workers: models fitted and measured at once, each in a process of its own; figures are the same. By
            default 1, which works in this process. In a script, use more only under
            ``if __name__ == "__main__":``.
        executor: "local", "ray" or "ray://HOST:PORT"; see `igmc.jobs`. Ray's workers read the data
            themselves, and must see `out`.

    Returns:
        the report. A model that fails on a split is in its `failures`, and the others go on.

    Raises:
        ConfigError: on an unknown name or setting, something that is no model or data set, or without models,
            data sets, protocols or seeds.
        DataError: if a data set cannot be read or split.
        IgmcError: if a folder cannot be written.
        MissingExtraError: without the library that `track` needs, or without Ray if it is to work.
    """
    asked = [ModelSpec.of(model) for model in several(models)]
    ways = list({way.label: way for way in map(make_protocol, several(protocols))}.values())
    sources, seeds, ks = several(datasets), list(dict.fromkeys(several(seeds))), several(ks)
    given = {"model": asked, "data set": sources, "protocol": ways, "seed": seeds, "list length": ks}
    shown = [] if metrics is None else several(metrics)
    _check_given(given, shown, rankings=rankings)
    if keep_models and out is None:
        raise ConfigError("models are kept in the folder of the report", got="no out", allowed="a folder")
    crew = _crew(workers, executor, callbacks)
    called = [*callbacks_for(track), *callbacks]
    folder = Path(out) if out is not None else None
    grid = _Grid(asked, sources, ways, seeds, ks, rankings, folder, keep_models)
    places = {"data_dir": data_dir, "home": home}
    if crew is None:
        for cell, dataset, split, _ in grid.missing(places):
            grid.end(cell, measure(cell, dataset, split, called))
    else:
        with crew() as working:
            grid.share(working, places, track)
    report = grid.report(shown)
    if out is not None:
        report.save(Path(out))
    return report


def _crew(
    workers: int | None, executor: str, callbacks: Sequence[Callback]
) -> Callable[[], AbstractContextManager[Crew]] | None:
    """Who works beside this process, once called; None if it works alone."""
    if workers is not None and workers < 1:
        raise ConfigError("the number of workers is too small", got=workers, allowed="at least 1")
    if check_executor(executor) == LOCAL and workers in (None, 1):
        return None
    if callbacks:
        raise ConfigError(
            "callbacks of your own are called in one process only",
            got=f"executor={executor!r}, workers={workers}",
            allowed="executor='local', workers=1",
        )
    return partial(workers_for, executor, workers)


class _Grid:
    """All cells of an evaluation: which are to be measured, and what became of each."""

    def __init__(
        self,
        models: list[ModelSpec],
        sources: list[Any],
        protocols: list[Protocol],
        seeds: list[int],
        ks: list[int],
        rankings: bool,
        out: Path | None,
        keep_models: bool,
    ) -> None:
        self._models, self._sources, self._protocols, self._seeds = models, sources, protocols, seeds
        self._ks, self._rankings, self._keep_models = ks, rankings, keep_models
        self._kept = Kept(out, ks, rankings) if out is not None else None
        self._places: dict[int, Path] = {}  # of the cells at work
        self._found: dict[int, ModelEvaluation | Failure] = {}  # by the number of the cell

    def missing(self, places: Mapping[str, Any]) -> Iterator[tuple[Cell, Dataset, Split, Any]]:
        """The cells that are not kept, in order, each with its data set, split and source."""
        digests: dict[str, str] = {}
        numbers = itertools.count()
        models = self._kept.models if self._kept is not None else None
        for source in self._sources:
            dataset = load_dataset(source, **places)
            _check_name(dataset, digests)
            for model in self._models:
                model.make(dataset.name, self._seeds[0])  # a wrong setting ends all before it begins
            for protocol, seed in itertools.product(self._protocols, self._seeds):
                split = protocol.draw(dataset, seed)
                for model in self._models:
                    what = next(numbers), dataset.name, protocol, seed, model, self._ks, self._rankings
                    cell = Cell(*what, models, self._keep_models)
                    working_on(str(cell))
                    if not self._known(cell, dataset, split):
                        yield cell, dataset, split, source

    def _known(self, cell: Cell, dataset: Dataset, split: Split) -> bool:
        if self._kept is None:
            return False
        place = self._kept.place(cell.model, dataset, cell.protocol, split)
        found = self._kept.read(place)
        if found is None or cell.lacks_model(dataset, split):
            self._places[cell.number] = place
            return False
        logger.info("%s: done before", cell)
        self._found[cell.number] = replace(found, label=cell.model.label)
        return True

    def share(self, crew: Crew, places: Mapping[str, Any], track: Targets) -> None:
        """Have the missing cells measured by workers, each of which reads a data set once."""
        loads: dict[str, tuple[bytes, str]] = {}

        def jobs() -> Iterator[Job]:
            for cell, dataset, _, source in self.missing(places):
                if dataset.name not in loads:
                    load = pickle.dumps(partial(load_dataset, source, **places))
                    loads[dataset.name] = load, dataset.table.digest()
                yield Job(*loads[dataset.name], RECOMMENDERS[cell.model.name], track, cell)

        drive(
            crew,
            measure_away,
            jobs(),
            crew.workers,
            lambda told: self.end(*told),
            lambda job, error: self.end(job.cell, job.cell.failure(error)),
        )

    def end(self, cell: Cell, found: ModelEvaluation | Failure) -> None:
        """Note what became of a cell, and keep it."""
        self._found[cell.number] = found
        if isinstance(found, Failure):
            logger.warning("%s failed: %s", cell.model.label, found.error)
            return
        names = [name for name in ("rmse", f"ndcg@{max(self._ks)}") if name in found.metrics]
        shown = ", ".join(f"{name} {found.metrics[name]:.4f}" for name in names)
        logger.info("%s: %s in %.1f s", cell, shown, sum(found.seconds.values()))
        if self._kept is not None:
            self._kept.write(self._places.pop(cell.number), found)

    def report(self, shown: list[str]) -> EvaluationReport:
        """What was found, in the order of the cells."""
        found = [self._found[number] for number in sorted(self._found)]
        evaluations = tuple(one for one in found if isinstance(one, ModelEvaluation))
        failures = tuple(one for one in found if isinstance(one, Failure))
        return EvaluationReport(evaluations, failures, shown=tuple(shown))


def several(given: Any) -> list[Any]:
    """One or several of something, as several."""
    return list(given) if isinstance(given, list | tuple | set | frozenset | range) else [given]


def _check_given(given: dict[str, list[Any]], metrics: list[str], *, rankings: bool) -> None:
    """What can be wrong before there are data; see `evaluate`."""
    for name, values in given.items():
        if not values:
            raise ConfigError(f"there is no {name} to evaluate", allowed="one or more")
    ks = given["list length"]
    if min(ks) < 1:
        raise ConfigError("the length K of a list is out of range", got=ks, allowed="whole numbers from 1")
    check_metrics(metrics, ks, rankings=rankings)
    labels = [model.label for model in given["model"]]
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise ConfigError(
            "two models have the same label", got=twice, remedy="tell them apart as in 'wide=mf:factors=64'"
        )


def _check_name(dataset: Dataset, digests: dict[str, str]) -> None:
    """Evaluations are grouped by the name of the data set, so one name must mean one data set."""
    digest = dataset.table.digest()
    if digests.setdefault(dataset.name, digest) != digest:
        raise ConfigError(
            "two data sets have the same name", got=dataset.name, remedy="rename one of the files"
        )
