"""The evaluation of one model on one split: fitted, scored and measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from igmc.config import Config
from igmc.errors import DataError
from igmc.evaluation.fitted_models import FittedModels
from igmc.evaluation.gains import gains
from igmc.evaluation.measures import Measures
from igmc.evaluation.metrics import (
    bootstrap_interval,
    calibration,
    errors_by_activity,
    evaluate_ranking,
    interval_summary,
    known_counts,
    mean_error,
    per_user_errors,
    rated_ndcg,
    score,
)
from igmc.evaluation.model_spec import ModelSpec
from igmc.evaluation.newcomers import ask_newcomers
from igmc.evaluation.protocols import Protocol
from igmc.evaluation.resources import ResourceUsage
from igmc.ratings import Dataset, Pairs, Split
from igmc.recommenders import Monitor, Ratings, Recommender, TrainingData
from igmc.short_repr import short_repr

__all__ = ["ModelEvaluation", "evaluate_model", "needs_retraining"]

PARTS = ("train", "validation", "support", "test")
_ARRAYS = ("asked_user", "asked_rating", "predicted", "rated_users", "ranked_users")


@dataclass(frozen=True, eq=False)
class ModelEvaluation:
    """What one model reached on one split.

    Attributes:
        dataset, seed: of the split; the seed is the model's too.
        protocol: how the split was made, as `Protocol.record` says.
        split_digest: of the split; figures of evaluations with equal digests can be compared.
        label, model: in the tables, and in the registry.
        settings: all settings of the model that was scored, with what was chosen on validation.
        retrained: whether the support ratings (see `Split`) took a training of their own, since the model
            cannot take ratings in as they come.
        sizes: ratings in each part.
        metrics: a figure for each metric, such as ``rmse`` or ``ndcg@10``.
        intervals: for most of them the bounds of a 95 % bootstrap interval, drawn by user.
        details: ``by_user_activity``, ``by_item_activity`` and ``calibration`` of the predicted ratings;
            ``newcomers``, the `igmc.evaluation.newcomers.NewcomerLists.example`;
            ``intervals``, see `igmc.evaluation.metrics.interval_summary`.
        seconds: ``choose`` (training that validation ratings decide on), ``fit`` (training of the model that
            is scored), ``fold_in`` (taking support ratings in), ``rate``, ``rank`` and ``newcomers``.
        peak_bytes: memory added at the highest point of all this; None where it cannot be measured.
        asked_user, asked_rating, predicted: int32 and float32 [P], the test pairs and what was predicted for
            them; empty for models that only rank.
        rated_users, ranked_users: int32, who has test items to order, and who has some to find among all.
        per_user: for each metric by user, float64, in the order of the one or the other; for
            ``opposite_overlap`` by pair of newcomers.
    """

    __repr__ = short_repr

    dataset: str
    seed: int
    protocol: Mapping[str, Any]
    split_digest: str
    label: str
    model: str
    settings: Mapping[str, Any]
    retrained: bool
    sizes: Mapping[str, int]
    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    details: Mapping[str, Any]
    seconds: Mapping[str, float]
    peak_bytes: int | None
    asked_user: NDArray[np.int32] = field(repr=False)
    asked_rating: NDArray[np.float32] = field(repr=False)
    predicted: NDArray[np.float32] = field(repr=False)
    rated_users: NDArray[np.int32] = field(repr=False)
    ranked_users: NDArray[np.int32] = field(repr=False)
    per_user: Mapping[str, NDArray[np.float64]] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """All but the arrays, in plain JSON types."""
        names = [name for name in self.__dataclass_fields__ if name not in (*_ARRAYS, "per_user")]
        values = {name: getattr(self, name) for name in names}
        return values | {"intervals": {name: list(bounds) for name, bounds in self.intervals.items()}}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, for `numpy.savez`."""
        return {name: getattr(self, name) for name in _ARRAYS} | {
            f"per_user/{name}": values for name, values in self.per_user.items()
        }

    @classmethod
    def from_parts(cls, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `to_dict` and `arrays`; stored without a mean error, an evaluation gets it here."""
        found = {name: arrays[name] for name in _ARRAYS}
        asked, predicted, metrics = found["asked_rating"], found["predicted"], values["metrics"]
        metrics = metrics | {"mean_error": mean_error(predicted, asked)} if len(predicted) else metrics
        per_user = {k.partition("/")[2]: array for k, array in arrays.items() if k.startswith("per_user/")}
        intervals = {name: tuple(bounds) for name, bounds in values["intervals"].items()}
        return cls(**{**values, **found, "metrics": metrics, "intervals": intervals, "per_user": per_user})


def evaluate_model(
    model: ModelSpec,
    dataset: Dataset,
    protocol: Protocol,
    split: Split,
    *,
    ks: Sequence[int],
    monitor: Monitor | None = None,
    fitted_models: FittedModels | None = None,
    rankings: bool = True,
) -> ModelEvaluation:
    """Fit a model to the training part of a split and measure it on the test part.

    What a model chooses, it chooses on the validation part; then it is fitted again to both, unless the
    protocol says otherwise. Support ratings are folded in where the model can do so, and trained on where it
    cannot.

    Args:
        model: which one, and its settings.
        dataset: what the split is of.
        protocol: how the split was made.
        split: what to learn from and what to ask; its seed is the model's too.
        ks: lengths of ranked lists; full rankings leave out those longer than there are items.
        monitor: told of each epoch of training.
        fitted_models: where a model that was fitted to the same ratings is taken from, or else put.
        rankings: rank all items for each user too, where the protocol allows it.

    Raises:
        IgmcError: if the model does not suit the data or the protocol, or its training fails.
    """
    found = Measures()
    with ResourceUsage() as resources:
        recommender = model.make(dataset.name, split.seed)
        retrained = needs_retraining(recommender, split)
        train = partial(_fitted, recommender, dataset, protocol, split, retrained, monitor)
        if fitted_models is None or retrained:
            recommender, found.seconds = train()
        else:
            recommender, found.seconds = fitted_models.fitted(recommender, split, protocol, train)
        rankings = rankings and protocol.kind in ("ranking", "both")
        _measure(recommender, split, ks, found, rankings)
        if rankings and len(split.scale) > 1:
            _oppose(recommender, dataset, split, found)
    if not found.metrics:
        raise DataError(
            f"{model.label} only ranks, and {protocol.label} asks for ratings",
            remedy="omit it, or choose another protocol",
        )
    settings: Config = recommender.config
    return ModelEvaluation(
        dataset=dataset.name,
        seed=split.seed,
        protocol=protocol.record(),
        split_digest=split.digest(),
        label=model.label,
        model=recommender.name,
        settings=settings.to_dict(),
        retrained=retrained,
        sizes={name: len(getattr(split, name)) for name in PARTS},
        metrics=found.metrics,
        intervals=found.intervals,
        details=found.details,
        seconds=found.seconds,
        peak_bytes=resources.peak_bytes,
        per_user=found.per_user,
        **{**_nothing(), **found.arrays},
    )


def needs_retraining(model: Recommender, split: Split) -> bool:
    """Whether a model must be trained on the support ratings too, as it cannot fold them in."""
    return bool(len(split.support)) and not model.inductive


def _fitted(
    model: Recommender,
    dataset: Dataset,
    protocol: Protocol,
    split: Split,
    retrain: bool,
    monitor: Monitor | None,
) -> tuple[Recommender, dict[str, float]]:
    """The model before `fold_in`, and the seconds; `retrain`: train on the support ratings too."""
    seconds: dict[str, float] = {}
    data = TrainingData.from_split(split, dataset)
    if model.uses_validation and len(data.validation):
        with ResourceUsage() as part:
            model.fit(data, monitor=monitor)
        seconds["choose"] = part.seconds
    if not model.n_items or protocol.refit or retrain:
        rows = [split.train, *[split.validation] * protocol.refit, *[split.support] * retrain]
        known = replace(data.merged(), train=Ratings.of(split.table, np.concatenate(rows)))
        chosen = model.history
        model = type(model)(model.chosen_config() if model.n_items else model.config, seed=model.seed)
        with ResourceUsage() as part:
            model.fit(known, monitor=monitor)
        model.history = chosen or model.history  # the curves that chose the epochs; a refit has none
        seconds["fit"] = part.seconds
    else:
        seconds["fit"] = seconds.pop("choose")
    return model, seconds


def _measure(model: Recommender, split: Split, ks: Sequence[int], found: Measures, rankings: bool) -> None:
    """Fold support ratings in, where the model can do so, and measure what comes of it."""
    if len(split.support) and model.inductive:
        with ResourceUsage() as part:
            model = model.fold_in(Ratings.of(split.table, split.support))
        found.seconds["fold_in"] = part.seconds
    with ResourceUsage() as part:
        _rate(model, split, ks, found)
    found.seconds["rate"] = part.seconds
    ks = [k for k in ks if k <= len(split.table.items)]
    if rankings and ks:
        with ResourceUsage() as part:
            _rank(model, split, ks, found)
        found.seconds["rank"] = part.seconds


def _rate(model: Recommender, split: Split, ks: Sequence[int], found: Measures) -> None:
    """Measure the ratings of the test pairs; of a model that only ranks, in what order it puts them."""
    asked = split.pairs(split.test)
    predicted, bounds = model.predict_with_bounds(asked.user, asked.item, asked.time)
    if not model.ranks_only:
        _errors(asked, predicted, split, found)
    if bounds is not None:
        told = interval_summary(split, bounds)
        found.details["intervals"] = told
        found.metrics |= {"interval_coverage": told["coverage"], "interval_width": told["width"]}
    if len(split.scale) == 1:
        return  # any order of equal ratings is as good as another
    try:
        per_user = rated_ndcg(asked.user, gains(split.scale, asked.rating), predicted, ks)
    except DataError:
        return  # no user has two test ratings: there is nothing to order
    found.arrays["rated_users"] = per_user.users
    found.add(per_user, split.seed)


def _errors(asked: Pairs, predicted: NDArray[np.float32], split: Split, found: Measures) -> None:
    """By how much the predicted ratings of the test pairs are off."""
    scale = split.scale
    found.arrays |= {"asked_user": asked.user, "asked_rating": asked.rating, "predicted": predicted}
    found.metrics |= asdict(score(predicted, asked.rating, scale.low, scale.high))
    found.metrics |= per_user_errors(asked.user, predicted, asked.rating).means()
    if len(np.unique(asked.user)) > 1:
        squared = np.square(predicted - asked.rating, dtype=np.float64)
        interval = bootstrap_interval(squared, asked.user, seed=split.seed, root=True)
        found.intervals["rmse"] = (interval.low, interval.high)
    for side, counts in zip(("user", "item"), known_counts(split), strict=True):
        buckets = errors_by_activity(getattr(asked, side), predicted, asked.rating, counts)
        found.details[f"by_{side}_activity"] = [asdict(b) | {"label": b.label} for b in buckets]
    bins = calibration(predicted, asked.rating, scale.values)
    found.details["calibration"] = [asdict(one) for one in bins]


def _rank(model: Recommender, split: Split, ks: Sequence[int], found: Measures) -> None:
    """Measure the ranking of all items that a user has not rated before."""
    table = split.table
    shape = len(table.users), len(table.items)
    known = np.concatenate([split.train, split.validation, split.support])
    relevant = replace(Ratings.of(table, split.test), rating=gains(split.scale, table.rating[split.test]))
    result = evaluate_ranking(
        model.scores, Ratings.of(table, known).matrix(*shape), relevant.matrix(*shape), ks
    )
    found.arrays["ranked_users"] = result.users
    found.add(result, split.seed)
    found.metrics |= result.catalogue


def _oppose(model: Recommender, dataset: Dataset, split: Split, found: Measures) -> None:
    """Measure whether newcomers of opposite tastes are shown other items, where there can be any."""
    with ResourceUsage() as part:
        lists = ask_newcomers(model, dataset, split)
    if lists is not None:
        found.seconds["newcomers"] = part.seconds
        found.details["newcomers"] = lists.example
        found.add(lists.measured, split.seed)


def _nothing() -> dict[str, Any]:
    integers, floats = np.empty(0, np.int32), np.empty(0, np.float32)
    return dict.fromkeys(_ARRAYS, integers) | {"asked_rating": floats, "predicted": floats}
