"""A model is fitted on what the protocol allows, and measured as the functions of metrics and ranking say."""

import numpy as np
import pytest

from igmc.errors import DataError
from igmc.evaluation.metrics.errors import rmse
from igmc.evaluation.metrics.intervals import bootstrap_interval
from igmc.evaluation.model_evaluation import ModelEvaluation, evaluate_model
from igmc.evaluation.model_spec import ModelSpec
from igmc.evaluation.protocols.registry import make_protocol
from igmc.ratings.load import load_dataset
from igmc.recommenders.base import Recommender
from igmc.recommenders.registry import RECOMMENDERS, make_recommender
from igmc.recommenders.training_data import TrainingData


@pytest.fixture(scope="module")
def demo():
    return load_dataset("demo")


def run(demo, model, protocol, seed=1, ks=(5, 10)):
    way = make_protocol(protocol)
    split = way.draw(demo, seed)
    return evaluate_model(ModelSpec.parse(model), demo, way, split, ks=ks), split


class Spy(Recommender):
    """Predicts the mean, and remembers what it was shown."""

    name = "spy"
    seen: list = []

    choosing = True

    @property
    def uses_validation(self):
        return self.choosing

    def _fit(self, data, monitor):
        self.mean = float(data.train.rating.mean())
        Spy.seen.append(
            (len(data.train), len(data.validation), set(zip(data.train.user, data.train.item, strict=True)))
        )

    def _predict(self, user, item):
        return np.full(len(user), self.mean, np.float32)


@pytest.fixture
def spy(monkeypatch):
    monkeypatch.setitem(RECOMMENDERS, "spy", f"{__name__}:Spy")
    monkeypatch.setattr(Spy, "seen", [])
    return Spy


def test_figures_are_those_of_the_fitted_model(demo):
    found, split = run(demo, "biases", "random_80_20")
    data = TrainingData.from_split(split)
    model = make_recommender("biases").fit(data).refit(data)
    asked = split.pairs(split.test)
    predicted = model.predict(asked.user, asked.item)
    np.testing.assert_array_equal(found.predicted, predicted)
    assert found.metrics["rmse"] == rmse(predicted, asked.rating)
    low, high = found.intervals["rmse"]
    assert low < found.metrics["rmse"] < high
    assert found.metrics["recall@10"] == pytest.approx(found.per_user["recall@10"].mean())
    assert found.sizes == {
        "train": len(split.train),
        "validation": len(split.validation),
        "support": 0,
        "test": len(split.test),
    }
    assert found.settings["damping"] is not None, "what was chosen is among the settings"
    squared = (predicted.astype(np.float64) - asked.rating) ** 2
    by_user = bootstrap_interval(squared, asked.user, seed=1, root=True)
    assert (low, high) == pytest.approx((by_user.low, by_user.high), rel=1e-7)
    by_pair = bootstrap_interval(squared, np.arange(len(asked)), seed=1, root=True)
    assert (low, high) != (by_pair.low, by_pair.high), "the pairs of a user are not independent"
    assert sum(b["pairs"] for b in found.details["calibration"]) == len(asked)


@pytest.mark.parametrize("protocol", ["random_80_20", "unseen_users:k=5"])
@pytest.mark.parametrize("side", ["user", "item"])
def test_activity_is_what_is_known_at_test_time_and_no_test_rating(demo, protocol, side):
    found, split = run(demo, "item_mean", protocol)
    known = np.concatenate([split.train, split.validation, split.support])
    index, test = getattr(split.table, side), split.test
    counts = np.bincount(index[known], minlength=len(getattr(split.table, f"{side}s")))[index[test]]
    error = found.predicted.astype(np.float64) - split.table.rating[test]
    buckets = found.details[f"by_{side}_activity"]
    assert sum(bucket["pairs"] for bucket in buckets) == len(test)
    assert len(buckets) > 1 or protocol != "random_80_20"
    for bucket in buckets:
        high = np.inf if bucket["high"] is None else bucket["high"]
        among = (counts >= bucket["low"]) & (counts <= high)
        assert bucket["pairs"] == among.sum()
        assert bucket["rmse"] == pytest.approx(np.sqrt(np.mean(error[among] ** 2)), rel=1e-5)


def test_it_chooses_on_validation_and_is_fitted_to_both_then(demo, spy):
    _, split = run(demo, "spy", "random_80_20")
    sizes = [seen[:2] for seen in spy.seen]
    assert sizes == [(len(split.train), len(split.validation)), (len(split.train) + len(split.validation), 0)]


def test_without_a_refit_the_model_stays_as_it_was_chosen(demo, spy):
    _, split = run(demo, "spy", "random_80_20:refit=false")
    assert [seen[:2] for seen in spy.seen] == [(len(split.train), len(split.validation))]


def test_a_model_that_does_not_choose_is_fitted_once(demo, spy, monkeypatch):
    monkeypatch.setattr(spy, "choosing", False)
    _, split = run(demo, "spy", "random_80_20")
    assert [seen[:2] for seen in spy.seen] == [(len(split.train) + len(split.validation), 0)]


@pytest.mark.parametrize("protocol", ["random_80_20", "unseen_users:k=5", "leave_last_out"])
def test_no_model_is_shown_a_test_pair(demo, spy, protocol):
    if protocol == "leave_last_out" and demo.table.timestamp is None:
        pytest.skip("the demo has no times")
    _, split = run(demo, "spy", protocol)
    asked = split.pairs(split.test)
    for _, _, pairs in spy.seen:
        assert pairs.isdisjoint(zip(asked.user, asked.item, strict=True))


def test_support_ratings_are_folded_in_or_trained_on(demo, spy):
    folded, split = run(demo, "item_mean", "unseen_users:k=5")
    assert not folded.retrained
    assert folded.seconds["fold_in"] > 0
    trained, _ = run(demo, "spy", "unseen_users:k=5")
    assert trained.retrained
    assert spy.seen[0][0] == len(split.train), "what is chosen, is chosen without the support ratings"
    assert spy.seen[-1][0] == len(split.train) + len(split.validation) + len(split.support)


def test_seen_items_are_not_ranked(demo):
    """The popularity ranking of all unseen items, by hand."""
    found, split = run(demo, "popularity", "random_80_20", ks=(5,))
    table = split.table
    known = np.concatenate([split.train, split.validation])
    counts = np.bincount(table.item[known], minlength=len(table.items))
    user = int(found.ranked_users[7])
    seen = table.item[known][table.user[known] == user]
    wanted = set(table.item[split.test][table.user[split.test] == user])
    order = [i for i in np.argsort(-counts, kind="stable") if i not in set(seen)][:5]
    assert found.per_user["precision@5"][7] == len(wanted.intersection(order)) / 5
    assert "rmse" not in found.metrics
    assert not len(found.predicted)


def test_a_model_that_only_ranks_is_asked_for_the_order_of_the_rated_and_no_ratings(demo):
    way = make_protocol("unseen_both")
    found = evaluate_model(ModelSpec("popularity"), demo, way, way.draw(demo, 1), ks=[5])
    assert list(found.metrics) == [
        *("rated_ndcg", "rated_ndcg_linear"),
        *("rated_ndcg@5", "rated_ndcg_linear@5"),
    ]
    assert 0.5 < found.metrics["rated_ndcg"] < 1
    assert len(found.rated_users)
    assert not len(found.predicted)
    assert not found.details


def test_a_model_that_only_ranks_has_nothing_to_say_where_there_is_nothing_to_order(demo):
    way = make_protocol("leave_last_out")
    with pytest.raises(DataError, match=r"popularity only ranks, and leave_last_out asks for ratings"):
        evaluate_model(ModelSpec("popularity"), demo, way, way.draw(demo, 1), ks=[5], rankings=False)


def test_lists_longer_than_the_catalogue_are_left_out(demo):
    found, _ = run(demo, "global_mean", "random_80_20", ks=(5, 10_000))
    assert "recall@5" in found.metrics
    assert "recall@10000" not in found.metrics


def test_an_evaluation_survives_its_files(demo):
    found, _ = run(demo, "biases", "random_80_20", ks=(5,))
    again = ModelEvaluation.from_parts(found.to_dict(), found.arrays())
    assert again.to_dict() == found.to_dict()
    for name, array in found.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], array)


@pytest.mark.parametrize("model", ["biases", "popularity"])
def test_an_evaluation_of_before_mean_errors_were_measured_gets_its_own(demo, model):
    found, split = run(demo, model, "random_80_20", ks=(5,))
    values = found.to_dict()
    values["metrics"] = {name: value for name, value in values["metrics"].items() if name != "mean_error"}
    assert ModelEvaluation.from_parts(values, found.arrays()).metrics == found.metrics
    if model == "popularity":
        assert "mean_error" not in found.metrics
        return
    error = found.predicted.astype(np.float64) - split.table.rating[split.test]
    assert found.metrics["mean_error"] == pytest.approx(error.mean(), abs=1e-12)
    assert abs(error.mean()) > 1e-4


def test_implicit_data_are_measured_by_rankings_alone(demo):
    clicks = demo.as_implicit(4)
    way = make_protocol("unseen_users:k=5")
    found = evaluate_model(ModelSpec.parse("ease"), clicks, way, way.draw(clicks, 1), ks=(5,))
    assert {name.partition("@")[0] for name in found.per_user} >= {"ndcg", "recall"}
    assert not [name for name in found.metrics if name.startswith(("rmse", "rated_ndcg", "opposite"))]
    with pytest.raises(DataError, match="mf predicts ratings, and all of them are 1"):
        evaluate_model(ModelSpec.parse("mf"), clicks, way, way.draw(clicks, 1), ks=(5,))
