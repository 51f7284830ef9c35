"""The search for the settings of a recommender that do best on the validation part; the test part has no say.

Trials are drawn by Optuna's tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011) and stored as
they end. What a trial draws depends on the seed and on the trials before it alone, so a study that was
interrupted ends as if nothing had happened.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from igmc import __version__
from igmc.config import DataConfig
from igmc.errors import ConfigError, IgmcError, TrainingError, WriteError
from igmc.evaluation.model_spec import ModelLike, ModelSpec
from igmc.evaluation.protocols import Protocol, make_protocol
from igmc.evaluation.tuning import trials as stored
from igmc.evaluation.tuning.trials import Trial, TuningResult
from igmc.evaluation.validation import ERRORS, checked_metric, validation_figure
from igmc.files import locked, replace_file, sweep, writing
from igmc.progress import working_on
from igmc.ratings import DataLike, Dataset, Split, data_config, load_dataset, make_split
from igmc.recommenders import Monitor, Recommender, SearchSpace, TrainingData, checked_space, with_settings
from igmc.tracking import Callback, TrackedTraining, callbacks_for

if TYPE_CHECKING:
    import optuna

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
        callbacks: of your own, see `igmc.tracking.Callback`; called after those of `track`.

    Raises:
        ConfigError: on an unknown name or setting, if there is nothing to search or no validation part, or if
            the folder holds another study.
        DataError: if the data or the study cannot be read.
        TrainingError: if no trial finished.
        MissingExtraError: without Optuna, or the library that `track` needs.
    """
    stored.require_optuna()
    if trials < 1:
        raise ConfigError("the number of trials is too small", got=trials, allowed="at least 1")
    with ExitStack() as stack:
        called = [*callbacks_for(track), *callbacks]
        asked = ModelSpec.of(model)
        way = make_protocol(protocol)
        source = load_dataset(dataset, data_dir=data_dir, home=home)
        given = data_config(dataset)
        usual = asked.make(source.name, seed)
        searched = _searched(asked, usual, space or {})
        split = way.draw(source, seed)
        data = TrainingData.from_split(split, source)  # all that is looked at from here on
        metric = checked_metric(usual, metric, way, data)
        search = _Search(usual, data, metric, searched, prune, seed, called, Path(out) if out else None)
        facts = {"dataset": source.name, "protocol": way.label}
        if search.folder is not None:
            with writing(search.folder):
                search.folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(search.folder))
            sweep(search.folder)
        run = _run_settings(given, source, way, split) if asked.name == "igmc" else None
        return search.run(trials, timeout, facts, run)


@dataclass
class _Search:
    """A study and what its trials are made of; there is no test rating in it."""

    usual: Recommender
    data: TrainingData
    metric: str
    space: SearchSpace
    prune: bool
    seed: int
    callbacks: Sequence[Callback]
    folder: Path | None

    @property
    def less_is_better(self) -> bool:
        return self.metric in ERRORS

    def run(
        self, trials: int, timeout: float | None, facts: Mapping[str, str], run: Mapping[str, Any] | None
    ) -> TuningResult:
        identity = self._identity(facts)
        study = stored.open_study(self.folder, identity, minimize=self.less_is_better, prune=self.prune)
        start, best = time.monotonic(), stored.best_of(study)
        while len(ended := stored.ended(study)) < trials:
            if ended and timeout is not None and time.monotonic() - start > timeout:
                logger.info("the time is over after %d of %d trials", len(ended), trials)
                break
            trial = stored.next_trial(study, len(ended), self.seed, self.space, self.usual.config)
            working_on(f"trial {len(ended) + 1} of {trials}")
            self._try(study, trial)
            newest, best = stored.ended(study)[-1], stored.best_of(study)
            logger.info("%s", _line(newest, best, len(ended) + 1, trials, self.metric))
            if best is not None and best.number == newest.number:
                self._write(best, run)
        ended = stored.ended(study)
        if best is None:
            raise TrainingError(
                "no trial finished",
                got=ended[-1].error,
                remedy="search another space, or fix the errors of the trials",
            )
        self._write(best, run)
        return TuningResult(
            **facts,
            model=self.usual.name,
            seed=self.seed,
            metric=self.metric,
            less_is_better=self.less_is_better,
            space={name: str(choice) for name, choice in self.space.items()},
            trials=tuple(ended),
            best=best,
            settings=with_settings(self.usual.config, best.settings).to_dict(),
            folder=None if self.folder is None else str(self.folder),
        )

    def _try(self, study: optuna.Study, trial: optuna.Trial) -> None:
        """One trial; if its settings do not work, that is its end and not that of the study."""
        import optuna

        start = time.monotonic()
        try:
            config = with_settings(self.usual.config, stored.drawn(trial, self.space))
            model = type(self.usual)(config, seed=self.seed)
            with TrackedTraining(self.callbacks, self._name(trial), config.to_dict()) as tracked:
                model.fit(self.data, monitor=self._monitor(trial, tracked.monitor))
                value = validation_figure(model, self.data, self.metric)
                tracked.finish({f"validation_{self.metric}": value})
        except optuna.TrialPruned:
            trial.set_user_attr("seconds", time.monotonic() - start)
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        except WriteError:  # no fault of the settings
            raise
        except IgmcError as error:
            trial.set_user_attr("seconds", time.monotonic() - start)
            trial.set_user_attr("error", str(error))
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            trial.set_user_attr("seconds", time.monotonic() - start)
            study.tell(trial, value)

    def _name(self, trial: optuna.Trial) -> str:
        place = "" if self.folder is None else f"{self.folder.name}/"
        return f"{place}trial-{trial.number:04d}"

    def _monitor(self, trial: optuna.Trial, tracked: Monitor | None) -> Monitor:
        import optuna

        name = "validation_rmse" if self.less_is_better else "validation_ndcg"

        def monitor(record: Mapping[str, Any]) -> None:
            if tracked is not None:
                tracked(record)
            value = record.get(name)
            if value is not None:
                trial.report(float(value), int(record["epoch"]))
                if trial.should_prune():
                    raise optuna.TrialPruned

        return monitor

    def _identity(self, facts: Mapping[str, str]) -> dict[str, Any]:
        """All that determines what the trials come to."""
        sha = hashlib.sha256(json.dumps(self.data.scale.to_dict()).encode())
        for part in (self.data.train, self.data.validation):
            for column in part.columns().values():
                sha.update(column.tobytes())
        return {
            **facts,
            "model": self.usual.name,
            "settings": self.usual.config.identity(),
            "space": {name: str(choice) for name, choice in sorted(self.space.items())},
            "metric": self.metric,
            "prune": self.prune,
            "seed": self.seed,
            "ratings": sha.hexdigest()[:16],
            "igmc": __version__,
        }

    def _write(self, best: Trial, run: Mapping[str, Any] | None) -> None:
        if self.folder is None:
            return
        settings = with_settings(self.usual.config, best.settings).to_dict()
        files: dict[str, Mapping[str, Any]] = {"best.json": settings}
        if run is not None:
            files["train.json"] = {**run, **settings, "seed": self.seed}
        for name, value in files.items():
            replace_file(self.folder / name, json.dumps(value, indent=1).encode() + b"\n")


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


def _line(trial: Trial, best: Trial | None, n: int, of: int, metric: str) -> str:
    ends = {"complete": f"{metric} {trial.value:.4f}" if trial.value is not None else "", "pruned": "pruned"}
    end = ends.get(trial.state, f"failed: {trial.error}")
    chosen = "" if best is None else f" (best {best.value:.4f}, trial {best.number + 1})"
    settings = " ".join(f"{name}={stored.shown(value)}" for name, value in trial.settings.items())
    return f"trial {n}/{of}: {end} in {trial.seconds:.1f} s{chosen}  {settings}"
