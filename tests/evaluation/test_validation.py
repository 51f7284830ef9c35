"""Figures of the validation part are those that the harness would give it as a test part."""

import numpy as np
import pytest

from igmc.errors import ConfigError
from igmc.evaluation.metrics.errors import mae, rmse
from igmc.evaluation.protocols.registry import make_protocol
from igmc.evaluation.validation import ERRORS, RANKINGS, checked_metric, validation_figure
from igmc.recommenders.registry import make_recommender
from igmc.recommenders.training_data import TrainingData
from tests.evaluation.datasets import make_dataset

DATASET = make_dataset(3, users=40, items=25)
WAY = make_protocol("random_80_20")


def part(way=WAY):
    return TrainingData.from_split(way.draw(DATASET, 1), DATASET)


def test_errors_are_those_of_the_validation_ratings():
    data = part()
    model = make_recommender("item_mean").fit(data)
    predicted = model.predict(data.validation.user, data.validation.item)
    assert validation_figure(model, data, "rmse") == rmse(predicted, data.validation.rating)
    assert validation_figure(model, data, "mae") == mae(predicted, data.validation.rating)
    clipped = np.clip(predicted, data.scale.low, data.scale.high)
    assert validation_figure(model, data, "rmse_clipped") == rmse(clipped, data.validation.rating)


def test_lists_leave_out_what_training_knows_and_find_what_validation_holds():
    data = part()
    model = make_recommender("popularity").fit(data)
    hits = []
    for user in np.unique(data.validation.user):
        known = data.train.item[data.train.user == user]
        ranked = np.argsort(-model.scores([user])[0], kind="stable")
        best = ranked[~np.isin(ranked, known)][:5]
        hits.append(np.isin(best, data.validation.item[data.validation.user == user]).mean())
    assert 0 < np.mean(hits) < 1
    assert validation_figure(model, data, "precision@5") == pytest.approx(np.mean(hits))


def test_without_a_metric_models_are_compared_by_error_or_by_rank_if_they_only_rank():
    data = part()
    assert checked_metric(make_recommender("item_mean"), None, WAY, data) == "rmse"
    assert checked_metric(make_recommender("ease"), None, WAY, data) == "ndcg@20"
    few = make_dataset(3, users=40, items=7)
    data = TrainingData.from_split(WAY.draw(few, 1), few)
    assert checked_metric(make_recommender("ease"), None, WAY, data) == "ndcg@7"


def test_every_metric_that_is_named_can_be_measured():
    data = part()
    model = make_recommender("item_mean").fit(data)
    for metric in (*ERRORS, *(f"{name}@3" for name in RANKINGS)):
        assert checked_metric(model, metric, WAY, data) == metric
        assert np.isfinite(validation_figure(model, data, metric))


@pytest.mark.parametrize(
    ("model", "metric", "protocol", "message"),
    [
        (
            "item_mean",
            "ndcg",
            "random_80_20",
            r"cannot tune by this metric; got 'ndcg'; allowed: rmse, .*ndcg@K",
        ),
        ("item_mean", "ndcg@x", "random_80_20", r"cannot tune by this metric; got 'ndcg@x'"),
        ("item_mean", "f2@5", "random_80_20", r"cannot tune by this metric; got 'f2@5'"),
        ("item_mean", "ndcg@26", "random_80_20", r"length K of a list is out of range; got 26; .*1\.\.25"),
        ("ease", "mae", "random_80_20", r"ease only ranks, and has no mae; allowed: precision@K"),
        (
            "item_mean",
            "ndcg@5",
            "unseen_items",
            r"unseen_items is for ratings, not for rankings; got 'ndcg@5'",
        ),
        ("item_mean", "rmse", "random_80_20:validation_ratio=0", r"leaves no validation part to tune on"),
    ],
)
def test_what_cannot_be_compared_by(model, metric, protocol, message):
    way = make_protocol(protocol)
    with pytest.raises(ConfigError, match=message):
        checked_metric(make_recommender(model), metric, way, part(way))
