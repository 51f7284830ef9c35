"""Newcomers of opposite tastes: known answers, and nothing but training is behind them."""

import dataclasses

import numpy as np
import pytest

from igmc.evaluation.metrics.opposites import Opposites, draw_opposites
from igmc.evaluation.model_evaluation import ModelEvaluation, evaluate_model
from igmc.evaluation.model_spec import ModelSpec
from igmc.evaluation.newcomers import ask_newcomers
from igmc.evaluation.protocols.registry import make_protocol
from igmc.ratings.load import load_dataset
from igmc.recommenders.base import Recommender
from igmc.recommenders.registry import make_recommender
from igmc.recommenders.training_data import Ratings, TrainingData

WAY = make_protocol("unseen_users:k=5")


@pytest.fixture(scope="module")
def demo():
    return load_dataset("demo")


@pytest.fixture(scope="module")
def split(demo):
    return WAY.draw(demo, 1)


class Similar(Recommender):
    """Ranks by similarity to what was rated: the sum of rating times correlation. Remembers who came."""

    name = "similar"
    inductive = True

    def _fit(self, data, monitor):
        self.came = []
        known = data.matrix().toarray()
        left = np.where(known > 0, known - known.sum() / (known > 0).sum(), 0)
        self.alike = np.nan_to_num(np.corrcoef(left.T))
        self.taste = np.zeros((data.n_users, data.n_items))

    def _fold_in(self, support):
        self.came.append(support)
        self.taste = self.taste.copy()
        self.taste[support.user] = 0
        np.add.at(self.taste, (support.user, support.item), support.rating - 3.0)

    def _predict(self, user, item):
        return np.einsum("pi,pi->p", self.taste[user], self.alike[item]).astype(np.float32)


def fitted(model, split):
    data = TrainingData.from_split(split)
    model = make_recommender(model) if isinstance(model, str) else model
    return model.fit(data.merged())


def overlap(model, demo, split):
    return ask_newcomers(fitted(model, split), demo, split).measured.means()["opposite_overlap"]


@pytest.mark.parametrize("name", ["popularity", "biases", "item_mean", "ease"])
def test_models_that_do_not_ask_what_was_liked_show_all_the_same(demo, split, name):
    assert overlap(name, demo, split) == 1.0


@pytest.mark.parametrize("model", [Similar(), "item_knn"])
def test_models_that_rank_by_what_is_like_the_liked_share_nothing(demo, split, model):
    assert overlap(model, demo, split) < 0.02


def test_newcomers_come_alone_and_rate_as_they_were_drawn(demo, split):
    model = fitted(Similar(), split)
    found = ask_newcomers(model, demo, split)
    known = np.concatenate([split.train, split.validation])
    table = split.table
    pairs = draw_opposites(Ratings.of(table, known).matrix(len(table.users), len(table.items)), split.seed)
    assert len(model.came) == 2 * len(pairs.liked) == 2 * len(found.measured.users)
    for k, support in enumerate(model.came):
        turned, pair = divmod(k, len(pairs.liked))
        liked, disliked = (pairs.liked[pair], pairs.disliked[pair])[:: -1 if turned else 1]
        assert set(support.item[support.rating == 5]) == set(liked)
        assert set(support.item[support.rating == 1]) == set(disliked)
        assert len(set(support.user.tolist())) == 1
        assert not np.isin(support.user, table.user[known]).any(), "somebody known is no newcomer"
    assert not model.taste.any(), "the model stays as it is"


def test_lists_hold_well_rated_items_that_the_newcomer_has_not_rated(demo, split):
    model = fitted(Similar(), split)
    example = ask_newcomers(model, demo, split).example
    titles = list(demo.item_info["title"])
    known = np.concatenate([split.train, split.validation])
    count = np.bincount(split.table.item[known], minlength=len(titles))
    given = {*example["liked"], *example["disliked"]}
    assert len(given) == 8
    for name in ("first", "second"):
        assert len(set(example[name])) == 10
        assert given.isdisjoint(example[name])
        assert all(count[titles.index(title)] >= 10 for title in example[name])
    liked = [titles.index(title) for title in example["liked"]]
    disliked = [titles.index(title) for title in example["disliked"]]
    scores = 2 * (model.alike[:, liked].sum(axis=1) - model.alike[:, disliked].sum(axis=1))
    allowed = [k for k in range(len(titles)) if count[k] >= 10 and titles[k] not in given]
    best = sorted(allowed, key=lambda k: -scores[k])[:10]
    assert set(example["first"]) == {titles[k] for k in best}


def test_exchanging_both_newcomers_changes_nothing(demo, split, monkeypatch):
    before = overlap("user_knn", demo, split)
    turn = lambda known, seed: Opposites(*draw_opposites(known, seed)[::-1])  # noqa: E731
    monkeypatch.setattr("igmc.evaluation.newcomers.draw_opposites", turn)
    assert overlap("user_knn", demo, split) == before


def test_nothing_of_the_support_and_test_parts_is_seen(demo, split):
    held_out = np.concatenate([split.test, split.support])
    rating = split.table.rating.copy()
    rating[held_out] = 6 - rating[held_out]
    other = dataclasses.replace(
        split,
        table=dataclasses.replace(split.table, rating=rating),
        test=split.test[::2],
        support=split.support[::3],
    )
    found, again = (ask_newcomers(fitted("user_knn", one), demo, one) for one in (split, other))
    assert found.example == again.example
    np.testing.assert_array_equal(
        found.measured.per_user["opposite_overlap"], again.measured.per_user["opposite_overlap"]
    )


def test_without_anybody_new_or_a_model_that_takes_newcomers_nothing_is_measured(demo, split):
    unable = make_recommender("gcn", {"epochs": 1, "dim": 4})
    assert ask_newcomers(fitted(unable, split), demo, split) is None
    all_known = make_protocol("random_80_20").draw(demo, 1)
    assert ask_newcomers(fitted("biases", all_known), demo, all_known) is None
    few = dataclasses.replace(split, train=split.train[:400], validation=split.validation[:0])
    assert ask_newcomers(fitted("biases", few), demo, few) is None


def test_an_evaluation_holds_it_beside_the_rankings(demo, split):
    evaluated = [
        evaluate_model(ModelSpec("user_knn"), demo, WAY, split, ks=[5], rankings=rankings)
        for rankings in (True, False)
    ]
    whole, ratings_only = evaluated
    values = whole.per_user["opposite_overlap"]
    assert whole.metrics["opposite_overlap"] == values.mean() == overlap("user_knn", demo, split)
    assert whole.intervals["opposite_overlap"][0] <= values.mean() <= whole.intervals["opposite_overlap"][1]
    assert whole.seconds["newcomers"] > 0
    assert "opposite_overlap" not in ratings_only.metrics
    again = ModelEvaluation.from_parts(whole.to_dict(), whole.arrays())
    assert again.details["newcomers"] == whole.details["newcomers"]
    np.testing.assert_array_equal(again.per_user["opposite_overlap"], values)
