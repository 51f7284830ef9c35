"""How well a model does on the validation part, by the functions that measure the test part."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace

from igmc.errors import ConfigError
from igmc.evaluation.gains import gains
from igmc.evaluation.metrics import checked_lengths, evaluate_ranking, score
from igmc.evaluation.protocols import Protocol
from igmc.recommenders import Recommender, TrainingData

__all__ = ["ERRORS", "RANKINGS", "check_metrics", "checked_metric", "metric_names", "validation_figure"]

ERRORS = ("rmse", "mae", "rmse_clipped", "mae_clipped")
RANKINGS = ("precision", "recall", "f1", "hit_rate", "mrr", "map", "ndcg", "ndcg_exp")  # each @K
LISTS = ("intra_list_similarity", "serendipity")  # each @K
CATALOGUE = ("coverage", "novelty", "popularity_share", "mean_popularity", "gini")  # each @K
RATED = ("rated_ndcg", "rated_ndcg_linear")  # these, and each @K
LIST_LENGTH = 20


def metric_names(ks: Sequence[int], *, rankings: bool = True, by_user: bool = False) -> list[str]:
    """The metrics that an evaluation may have.

    Args:
        ks: lengths of lists.
        rankings: whether all items are ranked too.
        by_user: only those by which two models can be compared.

    >>> metric_names([5], rankings=False, by_user=True)[:5]
    ['rmse', 'mae', 'user_rmse', 'user_mae', 'rated_ndcg']
    """
    errors = ("rmse", "mae") if by_user else (*ERRORS, "mean_error")
    rated = [f"{name}{at}" for at in ("", *(f"@{k}" for k in ks)) for name in RATED]
    names = [*errors, "user_rmse", "user_mae", *rated]
    if rankings:
        names += [f"{name}@{k}" for k in ks for name in (*RANKINGS, *LISTS, *(() if by_user else CATALOGUE))]
        names.append("opposite_overlap")
    return names


def check_metrics(names: Sequence[str], ks: Sequence[int], *, rankings: bool = True) -> None:
    """Raise on a metric that no evaluation has; see `metric_names`.

    Raises:
        ConfigError: naming it, and those that may be meant.
    """
    known = metric_names(ks, rankings=rankings)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=2)
            raise ConfigError(
                "no such metric",
                got=name,
                allowed=", ".join(known),
                remedy=f"did you mean {' or '.join(near)}?" if near else None,
            )


def validation_figure(model: Recommender, data: TrainingData, metric: str) -> float:
    """A metric of a fitted model on the validation part, as the harness measures the test part.

    Args:
        model: fitted to the training part of `data`.
        data: with at least one validation rating.
        metric: one of `ERRORS`, or one of `RANKINGS` and ``@K``; of all items but those in training.

    Raises:
        DataError: if a prediction is not finite.
    """
    asked = data.validation
    if metric in ERRORS:
        predicted = model.predict(asked.user, asked.item, asked.timestamp)
        return float(getattr(score(predicted, asked.rating, data.scale.low, data.scale.high), metric))
    shape = data.n_users, data.n_items
    relevant = replace(asked, rating=gains(data.scale, asked.rating)).matrix(*shape)
    length = int(metric.partition("@")[2])
    return evaluate_ranking(model.scores, data.matrix(), relevant, [length]).means()[metric]


def checked_metric(model: Recommender, metric: str | None, way: Protocol, data: TrainingData) -> str:
    """The metric to compare by, once model and data have it.

    Args:
        model: fitted or not.
        metric: as `validation_figure` takes it; if None, RMSE, or NDCG@20 for models that only rank.
        way: by which the data were divided.
        data: what the model will be fitted to.

    Raises:
        ConfigError: on another metric, or without a validation part.
    """
    if not len(data.validation):
        raise ConfigError(
            f"{way.label} leaves no validation part to tune on",
            remedy="raise its validation_ratio, or choose another protocol",
        )
    if metric is None:
        metric = f"ndcg@{min(LIST_LENGTH, data.n_items)}" if model.ranks_only else "rmse"
    name, mark, length = metric.partition("@")
    if metric in ERRORS:
        if model.ranks_only:
            raise ConfigError(
                f"{model.name} only ranks, and has no {metric}", allowed=f"{'@K, '.join(RANKINGS)}@K"
            )
        return metric
    if name not in RANKINGS or not (mark and length.isdecimal()):
        allowed = f"{', '.join(ERRORS)}, {'@K, '.join(RANKINGS)}@K"
        raise ConfigError("cannot tune by this metric", got=metric, allowed=allowed)
    checked_lengths([int(length)], data.n_items)
    if way.kind == "rating":
        raise ConfigError(
            f"{way.label} is for ratings, not for rankings", got=metric, allowed=", ".join(ERRORS)
        )
    return metric
