"""The trials of a study: which are to be made next, by whom, and what is stored of them."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from igmc.errors import TrainingError
from igmc.evaluation.tuning import trials as stored
from igmc.evaluation.tuning.search import Search, digest_of
from igmc.evaluation.tuning.trials import Trial, TuningResult
from igmc.files import replace_file
from igmc.jobs import Crew, drive
from igmc.progress import working_on
from igmc.recommenders import TrainingData, with_settings
from igmc.tracking import Callback

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from igmc.evaluation.tuning.search import Block

__all__ = ["Runner"]

logger = logging.getLogger(__name__)


class Runner:
    """The trials of a search as they are made and stored; there is no test rating in it."""

    def __init__(
        self,
        search: Search,
        data: TrainingData,
        facts: Mapping[str, str],
        folder: Path | None,
        run: Mapping[str, Any] | None,
    ) -> None:
        self._search, self._data, self._facts, self._folder, self._run = search, data, facts, folder, run
        identity = search.identity(facts, digest_of(data))
        self._study = stored.open_study(folder, identity, minimize=search.less_is_better)
        self._ends = stored.by_number(self._study)

    def work(self, trials: int, timeout: float | None, callbacks: Sequence[Callback]) -> None:
        """Make the missing trials here, one after the other."""
        for block in self._missing(trials, timeout, 1):
            if block is not None:
                self._end(self._search.trial(*block, self._data, callbacks), trials)

    def share(
        self, trials: int, timeout: float | None, crew: Crew, work: Callable[[Block], FrozenTrial]
    ) -> None:
        """Have the missing trials made by workers."""
        end = partial(self._end, of=trials)
        drive(
            crew,
            work,
            self._missing(trials, timeout, crew.workers),
            crew.workers,
            end,
            lambda block, error: end(self._search.lost(*block, error)),
        )

    def _missing(self, trials: int, timeout: float | None, workers: int) -> Iterator[Block | None]:
        """Trials to be made, each with those that it knows; None while one has to wait."""
        start, begun, ends = time.monotonic(), 0, self._ends
        there = len(ends)
        for n in range(trials):
            if n in ends:
                continue
            last = n - self._search.parallel  # that is known to it
            while begun + there - len(ends) >= workers or any(k not in ends for k in range(last + 1)):
                yield None
            if (ends or begun) and timeout is not None and time.monotonic() - start > timeout:
                logger.info("the time is over after %d of %d trials", len(ends), trials)
                return
            working_on(f"trial {n + 1} of {trials}")
            begun += 1
            yield n, [ends[k] for k in range(last + 1)]

    def _end(self, trial: FrozenTrial, of: int) -> None:
        """Store a trial that has ended, and say so."""
        self._study.add_trial(trial)
        number = trial.user_attrs[stored.NUMBER]
        self._ends[number] = trial
        newest = next(one for one in stored.ended(self._study) if one.number == number)
        best = stored.best_of(self._study)
        logger.info("%s", _line(newest, best, len(self._ends), of, self._search.metric))
        if best is not None and best.number == number:
            self._write(best)

    def result(self) -> TuningResult:
        """What was found so far, and stored once more.

        Raises:
            TrainingError: if no trial finished.
        """
        ended, best, search = stored.ended(self._study), stored.best_of(self._study), self._search
        if best is None:
            raise TrainingError(
                "no trial finished",
                got=ended[-1].error,
                remedy="search another space, or fix the errors of the trials",
            )
        self._write(best)
        return TuningResult(
            **self._facts,
            model=search.usual.name,
            seed=search.seed,
            parallel=search.parallel,
            metric=search.metric,
            less_is_better=search.less_is_better,
            space={name: str(choice) for name, choice in search.space.items()},
            trials=tuple(ended),
            best=best,
            settings=with_settings(search.usual.config, best.settings).to_dict(),
            folder=None if self._folder is None else str(self._folder),
        )

    def _write(self, best: Trial) -> None:
        if self._folder is None:
            return
        settings = with_settings(self._search.usual.config, best.settings).to_dict()
        files: dict[str, Mapping[str, Any]] = {"best.json": settings}
        if self._run is not None:
            files["train.json"] = {**self._run, **settings, "seed": self._search.seed}
        for name, value in files.items():
            replace_file(self._folder / name, json.dumps(value, indent=1).encode() + b"\n")


def _line(trial: Trial, best: Trial | None, n: int, of: int, metric: str) -> str:
    ends = {"complete": f"{metric} {trial.value:.4f}" if trial.value is not None else "", "pruned": "pruned"}
    end = ends.get(trial.state, f"failed: {trial.error}")
    chosen = "" if best is None else f" (best {best.value:.4f}, trial {best.number + 1})"
    settings = " ".join(f"{name}={stored.shown(value)}" for name, value in trial.settings.items())
    return f"trial {n}/{of}: {end} in {trial.seconds:.1f} s{chosen}  {settings}"
