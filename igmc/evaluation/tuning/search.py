"""A search, and each trial of it as a function of its number and of the trials that it may know.

So a trial comes to the same in any process, as often as it is made.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from igmc import __version__
from igmc.errors import DataError, IgmcError, WriteError
from igmc.evaluation.protocols import Protocol
from igmc.evaluation.tuning import trials as stored
from igmc.evaluation.validation import ERRORS, validation_figure
from igmc.jobs import loaded
from igmc.ratings import DataLike, load_dataset
from igmc.recommenders import Monitor, Recommender, SearchSpace, TrainingData, with_settings
from igmc.tracking import Callback, Targets, TrackedTraining, callbacks_for

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

    Block = tuple[int, list[FrozenTrial]]  # the number of a trial, and those that it knows

__all__ = ["Search", "digest_of", "training_data", "trial_of"]


@dataclass(frozen=True)
class Search:
    """What trials are made of, beside the ratings.

    Attributes:
        usual: the model with its usual settings, not fitted.
        metric: of the validation part.
        space: what is searched.
        prune: whether a trial ends early if it is worse than the others.
        seed: of split, model and search.
        parallel: trials that may run at once: trial n knows those up to n - parallel.
        place: what the names of trainings begin with.
    """

    usual: Recommender
    metric: str
    space: SearchSpace
    prune: bool
    seed: int
    parallel: int
    place: str

    @property
    def less_is_better(self) -> bool:
        return self.metric in ERRORS

    def identity(self, facts: Mapping[str, str], ratings: str) -> dict[str, Any]:
        """All that determines what the trials come to, of plain JSON types."""
        found = {
            **facts,
            "model": self.usual.name,
            "settings": self.usual.config.identity(),
            "space": {name: str(choice) for name, choice in sorted(self.space.items())},
            "metric": self.metric,
            "prune": self.prune,
            "seed": self.seed,
            "ratings": ratings,
            "igmc": __version__,
        }
        return found if self.parallel == 1 else found | {"parallel": self.parallel}

    def trial(
        self, n: int, known: Sequence[FrozenTrial], data: TrainingData, callbacks: Sequence[Callback]
    ) -> FrozenTrial:
        """Trial n; if its settings do not work, that is its end and not that of the study."""

        def measured(trial: optuna.Trial) -> float:
            config = with_settings(self.usual.config, stored.drawn(trial, self.space))
            model = type(self.usual)(config, seed=self.seed)
            with TrackedTraining(callbacks, f"{self.place}trial-{n:04d}", config.to_dict()) as tracked:
                model.fit(data, monitor=self._monitor(trial, tracked.monitor))
                value = validation_figure(model, data, self.metric)
                tracked.finish({f"validation_{self.metric}": value})
            return value

        return self._ended(n, known, measured)

    def lost(self, n: int, known: Sequence[FrozenTrial], error: IgmcError) -> FrozenTrial:
        """Trial n, failed by this error without a result."""

        def failed(trial: optuna.Trial) -> float:
            stored.drawn(trial, self.space)
            raise error

        return self._ended(n, known, failed)

    def _ended(
        self, n: int, known: Sequence[FrozenTrial], measured: Callable[[optuna.Trial], float]
    ) -> FrozenTrial:
        import optuna

        start = time.monotonic()
        study = stored.study_of(known, n, self.seed, minimize=self.less_is_better, prune=self.prune)
        trial = stored.next_trial(study, n, self.space, self.usual.config)
        state, value = optuna.trial.TrialState.COMPLETE, None
        try:
            value = measured(trial)
        except optuna.TrialPruned:
            state = optuna.trial.TrialState.PRUNED
        except WriteError:  # no fault of the settings
            raise
        except IgmcError as error:
            trial.set_user_attr("error", str(error))
            state = optuna.trial.TrialState.FAIL
        trial.set_user_attr("seconds", time.monotonic() - start)
        return study.tell(trial, value, state=state)

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


def digest_of(data: TrainingData) -> str:
    """Equal for equal ratings in the training and validation part."""
    sha = hashlib.sha256(json.dumps(data.scale.to_dict()).encode())
    for part in (data.train, data.validation):
        for column in part.columns().values():
            sha.update(column.tobytes())
    return sha.hexdigest()[:16]


def training_data(
    dataset: DataLike,
    data_dir: str | Path | None,
    home: str | Path | None,
    way: Protocol,
    seed: int,
    ratings: str,
) -> TrainingData:
    """What a worker reads of a data set; `ratings` is the digest of it.

    Raises:
        DataError: if the data set is another one for this worker.
    """
    source = load_dataset(dataset, data_dir=data_dir, home=home)
    data = TrainingData.from_split(way.draw(source, seed), source)
    if digest_of(data) != ratings:
        raise DataError(
            f"a worker reads other ratings of {source.name} than the command did",
            remedy="give all workers the same files, and leave these as they are",
        )
    return data


def trial_of(
    load: bytes, search: Search, track: Targets, block: tuple[int, list[FrozenTrial]]
) -> FrozenTrial:
    """A trial in a worker; `load` gives the data, as pickled."""
    stored.require_optuna()
    n, known = block
    return search.trial(n, known, loaded(load), callbacks_for(track))
