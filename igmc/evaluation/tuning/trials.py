"""The trials of a study, as Optuna draws and stores them."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from igmc.config import Config
from igmc.errors import ConfigError, DataError, MissingExtraError
from igmc.recommenders import OneOf, SearchSpace
from igmc.rng import stream
from igmc.short_repr import short_repr

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

__all__ = [
    "Trial",
    "TuningResult",
    "best_of",
    "by_number",
    "drawn",
    "ended",
    "next_trial",
    "open_study",
    "require_optuna",
    "shown",
    "study_of",
]

STORAGE = "study.db"
STARTUP_TRIALS = 5  # that are never pruned
WARMUP_EPOCHS = 3  # of a trial, before which it is not pruned
NUMBER = "n"  # attribute of a stored trial: its number, since trials may end in any order
_STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}


@dataclass(frozen=True)
class Trial:
    """One set of settings, and what came of it.

    Attributes:
        number: in the study, from 0.
        state: "complete", "pruned" (left off, since others were better by then) or "failed".
        value: of the metric, on the validation part; None unless complete.
        settings: those searched, by name.
        seconds: that it took.
        error: by which it failed, or None.
    """

    number: int
    state: str
    value: float | None
    settings: Mapping[str, Any]
    seconds: float
    error: str | None


@dataclass(frozen=True)
class TuningResult:
    """What a study has found so far.

    Attributes:
        model, dataset, protocol, seed: what was tuned, and on which split; the protocol as
            `igmc.evaluation.protocols.registry.make_protocol` reads it.
        parallel: trials that might run at once, each drawn without knowing the others.
        metric: what was compared, always of the validation part.
        less_is_better: whether the metric is an error.
        space: what was searched, by setting, in the form of ``--space``.
        trials: all that have ended, in their order. The first has the settings that were given.
        best: the best of them.
        settings: all settings of the model in that trial.
        folder: of the study, or None.
    """

    __repr__ = short_repr

    model: str
    dataset: str
    protocol: str
    seed: int
    parallel: int
    metric: str
    less_is_better: bool
    space: Mapping[str, str]
    trials: tuple[Trial, ...]
    best: Trial
    settings: Mapping[str, Any]
    folder: str | None

    def ranked(self) -> list[Trial]:
        """The trials that came to their end, the best first; of equally good ones the earlier."""
        sign = 1 if self.less_is_better else -1
        done = [trial for trial in self.trials if trial.state == "complete"]
        return sorted(done, key=lambda trial: sign * (trial.value or 0.0))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types only."""
        return vars(self) | {"trials": [vars(trial) for trial in self.trials], "best": vars(self.best)}


def require_optuna() -> None:
    """See that Optuna is there, and silence it.

    Raises:
        MissingExtraError: if not.
    """
    try:
        import optuna
    except ImportError as error:
        raise MissingExtraError("tuning needs Optuna", extra="tune") from error
    optuna.logging.set_verbosity(logging.WARNING)


def open_study(folder: Path | None, identity: Mapping[str, Any], *, minimize: bool) -> optuna.Study:
    """The study of this identity in a folder, new or as it was left; in memory if None.

    Args:
        folder: held by this process.
        identity: all that determines it, of plain JSON types.
        minimize: whether less is better.

    Raises:
        ConfigError: if the folder holds another study.
        DataError: if what it holds cannot be read.
    """
    import optuna

    try:
        study = optuna.create_study(
            storage=None if folder is None else f"sqlite:///{folder / STORAGE}",
            study_name="igmc",
            direction=_direction(minimize),
            load_if_exists=True,
        )
        found = study.user_attrs.get("identity")
    except Exception as error:  # a file that is no study makes SQLAlchemy, Alembic and Optuna raise anything
        raise DataError(
            f"cannot read the study {folder and folder / STORAGE}: {type(error).__name__}",
            remedy="choose another folder with --out, or remove the file and start again",
        ) from error
    plain = json.loads(json.dumps(identity))
    if found is None:
        study.set_user_attr("identity", plain)
    elif found != plain:
        changes = [key for key in plain | found if found.get(key) != plain.get(key)]
        other = [f"{key} ({found.get(key)!r} there, {plain.get(key)!r} now)" for key in changes]
        raise ConfigError(
            f"{folder} holds another study: {', '.join(other)}",
            remedy="choose another folder with --out, or repeat the command of that study",
        )
    return study


def study_of(known: Sequence[FrozenTrial], n: int, seed: int, *, minimize: bool, prune: bool) -> optuna.Study:
    """A study in memory that knows these trials, to draw and prune trial n by."""
    import optuna

    pruner: optuna.pruners.BasePruner = optuna.pruners.NopPruner()
    if prune:
        pruner = optuna.pruners.MedianPruner(STARTUP_TRIALS, WARMUP_EPOCHS)
    # A sampler for each trial: neither an interruption nor the order of the others changes what it draws.
    sampler = optuna.samplers.TPESampler(seed=int(stream(seed, "tune", n).integers(2**32)))
    study = optuna.create_study(direction=_direction(minimize), sampler=sampler, pruner=pruner)
    study.add_trials(known)
    return study


def _direction(minimize: bool) -> Literal["minimize", "maximize"]:
    return "minimize" if minimize else "maximize"


def next_trial(study: optuna.Study, n: int, space: SearchSpace, usual: Config) -> optuna.Trial:
    """Trial n; the first one, 0, has the usual settings, as far as the space holds them."""
    if n == 0:
        values = {name: _value(usual, name) for name in space}
        known = {name: value for name, value in values.items() if space[name].holds(value)}
        study.enqueue_trial(
            {
                name: json.dumps(value) if isinstance(space[name], OneOf) else value
                for name, value in known.items()
            }
        )
    trial = study.ask()
    trial.set_user_attr(NUMBER, n)
    return trial


def drawn(trial: optuna.Trial, space: SearchSpace) -> dict[str, Any]:
    """What a trial draws from a space."""
    settings: dict[str, Any] = {}
    for name, choice in space.items():
        if isinstance(choice, OneOf):
            # As texts, since Optuna stores no lists.
            texts = [json.dumps(value) for value in choice.values]
            settings[name] = json.loads(trial.suggest_categorical(name, texts))
        elif choice.whole:
            settings[name] = trial.suggest_int(name, int(choice.low), int(choice.high), log=choice.log)
        else:
            settings[name] = trial.suggest_float(name, choice.low, choice.high, log=choice.log)
    return settings


def by_number(study: optuna.Study) -> dict[int, FrozenTrial]:
    """All trials that came to an end of their own, in the order of their numbers; not interrupted ones."""
    found = [
        one
        for one in study.get_trials(deepcopy=False)
        if one.state.name in _STATES and (one.state.name != "FAIL" or "error" in one.user_attrs)
    ]
    # Studies of former versions do not number their trials, which ended in order.
    numbered = {one.user_attrs.get(NUMBER, place): one for place, one in enumerate(found)}
    return dict(sorted(numbered.items()))


def ended(study: optuna.Study) -> list[Trial]:
    """What became of the trials that have ended, in the order of their numbers."""
    return [
        Trial(
            number=number,
            state=_STATES[one.state.name],
            value=one.value if one.state.name == "COMPLETE" else None,
            settings={name: _read(value) for name, value in one.params.items()},
            seconds=one.user_attrs.get("seconds", 0.0),
            error=one.user_attrs.get("error"),
        )
        for number, one in by_number(study).items()
    ]


def best_of(study: optuna.Study) -> Trial | None:
    """The best trial that is complete, of equally good ones the first; None if there is none."""
    sign = 1 if study.direction.name == "MINIMIZE" else -1
    found = [(sign * trial.value, trial.number, trial) for trial in ended(study) if trial.value is not None]
    return min(found)[2] if found else None


def shown(value: Any) -> str:
    """A value in short.

    >>> shown(0.00123456), shown([32, 32]), shown("cosine")
    ('0.001235', '[32,32]', 'cosine')
    """
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _value(config: Config, name: str) -> Any:
    """The value of a setting, as `Config.to_dict` writes it."""
    value: Any = config
    for part in name.split("."):
        value = getattr(value, part)
    return list(value) if isinstance(value, tuple) else value


def _read(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
