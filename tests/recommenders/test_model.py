"""The recommenders for people with data of their own: raw ids in, DataFrames out."""

import inspect
import pickle

import numpy as np
import pandas as pd
import pytest

import igmc
from igmc.errors import ConfigError, DataError
from igmc.ratings.demo import make_demo
from igmc.recommenders import MODELS, RECOMMENDERS, TrainingData, make_recommender, model_class

DEMO = make_demo()


@pytest.fixture(scope="module")
def ratings():
    """The ratings of the demo, with users that are dates."""
    table = DEMO.table
    days = [pd.Timestamp("2020-01-01") + pd.Timedelta(days=user) for user in table.users.ids]
    return pd.DataFrame(
        {
            "user": [days[k] for k in table.user],
            "item": table.items.decode(table.item),
            "rating": table.rating,
        }
    )


@pytest.fixture(scope="module")
def model(ratings):
    return igmc.fit("item_knn", ratings)


DAY = pd.Timestamp("2020-01-02")  # the first user


def test_predictions_are_those_of_the_recommender_inside(model, ratings):
    whole = igmc.make_split(DEMO, {"test_ratio": 0.0, "validation_ratio": 0.0})
    inside = make_recommender("item_knn").fit(TrainingData.from_split(whole))
    found = model.predict([DAY, DAY], ["f001", "f002"])
    assert found.columns.tolist() == ["user_id", "item_id", "score"]
    assert found.user_id.tolist() == [DAY, DAY]
    assert found.item_id.tolist() == ["f001", "f002"]
    np.testing.assert_allclose(found.score, inside.predict([0, 0], [0, 1]).clip(1, 5), rtol=1e-5)
    assert model.predict(DAY, ["f001", "f002"]).equals(found)


def test_lists_hold_the_best_that_is_not_rated(model, ratings):
    found = model.recommend(DAY, k=250)
    rated = set(ratings.item[ratings.user == DAY])
    assert set(found.item_id) == set(DEMO.table.items.ids) - rated
    assert found.score.is_monotonic_decreasing
    assert found["rank"].tolist() == list(range(1, len(found) + 1))
    scores = model.predict(DAY, found.item_id, clip=False).score
    np.testing.assert_allclose(found.score, scores, rtol=1e-5)
    assert len(model.recommend(DAY, k=250, rated=True)) == 250


def test_everybody_gets_a_list_of_their_own(model, ratings):
    found = model.recommend(k=2)
    assert found.user_id.nunique() == 300
    assert found.groupby("user_id").size().eq(2).all()
    one = model.recommend([ratings.user.max()], k=2)
    assert one.item_id.tolist() == found.item_id[found.user_id == ratings.user.max()].tolist()


def test_titles_come_from_the_data_set():
    found = igmc.recommenders.Popularity().fit("demo").recommend(1, k=1)
    assert found.columns.tolist() == ["user_id", "item_id", "score", "rank", "title", "genres", "year"]
    assert found.title[0].startswith("The ")


def test_what_is_chosen_is_chosen_on_a_tenth_and_all_ratings_are_learned():
    model = igmc.recommenders.Biases(seed=3).fit(DEMO)
    assert model.known.nnz == len(DEMO.table)
    assert model.recommender.n_users == 300


def test_it_is_pickled(model):
    again = pickle.loads(pickle.dumps(model))
    assert again.recommend(DAY, k=3).equals(model.recommend(DAY, k=3))


def test_every_recommender_is_a_class_by_its_name():
    assert set(MODELS.values()) == set(RECOMMENDERS)
    for public, name in MODELS.items():
        cls = getattr(igmc.recommenders, public)
        assert cls is model_class(name)
        assert cls.__name__ == public
        assert cls.name == name
        assert inspect.getdoc(cls)
    assert "factors" in inspect.signature(igmc.recommenders.MF).parameters
    assert {"MF", "ItemKNN", "IGMC", "Neighbours"} <= set(dir(igmc.recommenders))
    with pytest.raises(AttributeError, match="no attribute 'MFX'"):
        igmc.recommenders.MFX  # noqa: B018


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda m: m.predict(DAY, "f999"),
            DataError,
            "the model does not know this item; got 'f999'; hint: ids are such as",
        ),
        (
            lambda m: m.recommend("ann"),
            DataError,
            "the model does not know this user; got 'ann'; hint: ids are such as",
        ),
        (lambda m: m.predict([DAY], ["f001", "f002"]), DataError, "differ in length"),
        (lambda m: m.recommend(DAY, k=0), ConfigError, "length of a list is out of range"),
        (lambda m: type(m)().predict(DAY, "f001"), DataError, "ItemKNN has not been fitted"),
        (lambda m: type(m)(neighbors=3), ConfigError, "unknown setting"),
        (lambda m: igmc.fit("mfx", "demo"), ConfigError, "did you mean mf"),
        (lambda m: igmc.fit(3, "demo"), ConfigError, "unknown recommender"),
        (lambda m: type(m)().fit(3), ConfigError, "this is not a data set; got 3"),
    ],
)
def test_what_cannot_be_answered_is_said(model, call, error, message):
    with pytest.raises(error, match=message):
        call(model)


def test_it_shows_itself_in_a_line(model):
    assert repr(model) == "ItemKNN() fitted to frame"
    assert repr(igmc.recommenders.MF(factors=3)) == "MF(factors=3)"
