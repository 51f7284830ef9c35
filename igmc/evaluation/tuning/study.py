"""The search for the settings of a recommender that do best on the validation part; the test part has no say.

Trials are drawn by Optuna's tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011) and stored by
this process as they end. Trial n is drawn and pruned by the seed and by the trials up to n - parallel alone,
so neither an interruption nor the number of workers changes what a study comes to.
"""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from igmc.config import DataConfig
from igmc.errors import ConfigError, IgmcError
from igmc.evaluation.model_spec import ModelLike, ModelSpec
from igmc.evaluation.protocols import Protocol, make_protocol
from igmc.evaluation.tuning import trials as stored
from igmc.evaluation.tuning.runner import Runner
from igmc.evaluation.tuning.search import Search, digest_of, training_data, trial_of
from igmc.evaluation.tuning.trials import TuningResult
from igmc.evaluation.validation import checked_metric
from igmc.files import locked, sweep, writing
from igmc.jobs import LOCAL, Crew, check_executor, workers_for
from igmc.ratings import DataLike, Dataset, Split, data_config, load_dataset, make_split
from igmc.recommenders import Recommender, SearchSpace, TrainingData, checked_space
from igmc.tracking import Callback, callbacks_for

__all__ = ["tune"]

logger = logging.getLogger(__name__)


def tune(
    model: ModelLike,
    dataset: DataLike,
    *,
    protocol: Protocol | str = "random_80_20",
    metric: str | None = None,
    trials: int = 50,
    timeout: float | None = None,
    space: SearchSpace | None = None,
    prune: bool = True,
    seed: int = 1,
    data_dir: str | Path | None = None,
    home: str | Path | None = None,
    out: str | Path | None = None,
    track: str | Path | Sequence[str | Path] | None = None,
    callbacks: Sequence[Callback] = (),
    parallel: int = 1,
    workers: int | None = None,
    executor: str = LOCAL,
) -> TuningResult:
    """Search the settings that do best on the validation part of one split.

    Each trial is fitted to the training part, with the validation part to stop by, and measured on the
    validation part by the functions that measure the test part in `evaluate_model`. Nothing that
    a trial sees depends on a test rating. The figure of the best trial is the best of many, hence too good;
    what the settings are worth is for `igmc.evaluation.harness.evaluate` to say.

    Args:
        model: as `igmc.evaluate` takes one; settings that are given with it are not searched.
        dataset: whatever `igmc.ratings.load.load_dataset` takes.
        protocol: how to split; see `igmc.evaluation.protocols.registry.make_protocol`.
        metric: as `igmc.evaluation.validation.validation_figure` takes it; by default RMSE, and NDCG@20 for
            models that only rank.
        trials: to reach in all, those of an earlier call included; at least 1.
        timeout: seconds after which no trial is begun any more, at least one having been made.
        space: what is searched beside, or instead of, what the model itself proposes.
        prune: end a trial that after some epochs is worse than the median of the others was by then.
        seed: of split, model and search.
        data_dir, home: where raw data are; see `load_dataset`.
        out: folder of the study, where it goes on later, and of ``best.json``: the settings, as
            ``igmc-evaluate --model NAME@FILE`` takes them. For igmc also ``train.json``, as ``igmc-train
            --config`` takes it. Nothing is written if None.
        track: where to log all trials: a folder for TensorBoard, "wandb:PROJECT", "mlflow:URI", or a list.
        callbacks: of your own, see `igmc.tracking.Callback`; called after those of `track`. With one worker.
        parallel: trials that may run at once. Each is drawn and pruned without knowing the ``parallel - 1``
            before it, so the result depends on this number.
        workers: processes that make trials, up to `parallel`; the result does not depend on it. By default as
            many as there are cores. In a script, use more than one only under
            ``if __name__ == "__main__":``.
        executor: "local", "ray" or "ray://HOST:PORT"; see `igmc.jobs`. Ray's workers read the data
            themselves.

    Raises:
        ConfigError: on an unknown name or setting, if there is nothing to search or no validation part, or if
            the folder holds another study.
        DataError: if the data or the study cannot be read.
        TrainingError: if no trial finished.
        MissingExtraError: without Optuna, Ray if it is to work, or the library that `track` needs.
    """
    stored.require_optuna()
    called = [*callbacks_for(track), *callbacks]
    crew = _crew(trials, parallel, workers, executor, callbacks)
    with ExitStack() as stack:
        asked = ModelSpec.of(model)
        way = make_protocol(protocol)
        source = load_dataset(dataset, data_dir=data_dir, home=home)
        usual = asked.make(source.name, seed)
        searched = _searched(asked, usual, space or {})
        split = way.draw(source, seed)
        data = TrainingData.from_split(split, source)  # all that is looked at from here on
        metric = checked_metric(usual, metric, way, data)
        folder = Path(out) if out else None
        search = Search(usual, metric, searched, prune, seed, parallel, f"{folder.name}/" if folder else "")
        facts = {"dataset": source.name, "protocol": way.label}
        if folder is not None:
            with writing(folder):
                folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(folder))
            sweep(folder)
        run = _run_settings(data_config(dataset), source, way, split) if asked.name == "igmc" else None
        runner = Runner(search, data, facts, folder, run)
        if crew is None:
            runner.work(trials, timeout, called)
        else:
            load = partial(training_data, dataset, data_dir, home, way, seed, digest_of(data))
            with crew() as executing:
                runner.share(trials, timeout, executing, partial(trial_of, pickle.dumps(load), search, track))
        return runner.result()


def _crew(
    trials: int, parallel: int, workers: int | None, executor: str, callbacks: Sequence[Callback]
) -> Callable[[], AbstractContextManager[Crew]] | None:
    """Who works beside this process, once called; None if it works alone."""
    for name, value in (("trials", trials), ("trials that may run at once", parallel), ("workers", workers)):
        if value is not None and value < 1:
            raise ConfigError(f"the number of {name} is too small", got=value, allowed="at least 1")
    if workers is not None and workers > parallel:
        raise ConfigError(
            "there are more workers than trials that may run at once",
            got=workers,
            allowed=f"up to {parallel}",
            remedy=f"raise that number as well (--parallel {workers}); the result depends on it, and not on "
            "the number of workers",
        )
    if check_executor(executor) == LOCAL:
        workers = workers or min(parallel, len(os.sched_getaffinity(0)))
        if workers == 1:
            return None
    if callbacks:
        raise ConfigError(
            "callbacks of your own are called in one process only",
            got=f"executor={executor!r}, workers={workers}",
            allowed="executor='local', workers=1",
        )
    return partial(workers_for, executor, workers)


def _searched(asked: ModelSpec, usual: Recommender, space: SearchSpace) -> dict[str, Any]:
    """What the model proposes, without what was given, and what the caller wants."""
    proposed = {k: v for k, v in usual.search_space().items() if not _given(asked.settings, k.split("."))}
    searched = checked_space(usual.name, usual.config, {**proposed, **space})
    if not searched:
        raise ConfigError(
            f"there is nothing to search for {usual.name}", remedy="name settings to search with --space"
        )
    return searched


def _given(settings: Mapping[str, Any], path: Sequence[str]) -> bool:
    inner = settings.get(path[0])
    if len(path) == 1 or not isinstance(inner, Mapping):
        return path[0] in settings
    return _given(inner, path[1:])


def _run_settings(given: DataConfig, source: Dataset, way: Protocol, split: Split) -> dict[str, Any] | None:
    """The data section of a run on the same split; None if `igmc-train` does not know that split.

    On another split, what the settings were chosen on might stand in the test part.
    """
    settings = way.to_dict()
    shared = {name: value for name, value in settings.items() if name in given.to_dict()}
    try:
        config = given.replace(**{"split": "random", **shared})
        other = make_split(source, config, split.seed)
    except IgmcError:
        other = None
    parts = ("train", "validation", "test", "support")
    same = other is not None and all(
        getattr(other, part).tolist() == getattr(split, part).tolist() for part in parts
    )
    if not same:
        logger.warning("no train.json: igmc-train knows no split like that of %s", way.label)
        return None
    return {"data": config.to_dict()}
