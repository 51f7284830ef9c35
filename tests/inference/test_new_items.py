"""Items that nobody has rated are answered by what is told of them."""

import numpy as np
import pandas as pd
import pytest
import torch

from igmc.errors import ConfigError, DataError
from igmc.graph import BipartiteGraph
from igmc.inference.new_items import with_items_file
from igmc.models import NeighboursEnsemble
from igmc.networks.neighbours.estimates import GraphEstimates
from igmc.networks.neighbours.graph_knowledge import known_ratings
from igmc.networks.neighbours.scoring import NeighbourScorer
from igmc.ratings import side_information
from tests.estimates.planted import described_ratings
from tests.inference.small import SCALE, predictor_of

(USER, ITEM, RATING), SIDE, _ = described_ratings()
KINDS = [f"kind {kind}" for kind in SIDE.items.values.argmax(axis=1)]
INFO = pd.DataFrame({"title": [""] * 60, "genres": KINDS})
VALUES = np.arange(1.0, 6.0)
GRAPH = BipartiteGraph.from_ratings(
    USER, ITEM, np.clip(np.rint(RATING), 1, 5).astype(int) - 1, n_users=90, n_items=60, n_levels=5
)


@pytest.fixture(scope="module")
def predictor(tmp_path_factory):
    """Of a network that adds nothing to the estimates, for items 0..59, the last ten of them unrated."""
    model = NeighboursEnsemble(1, pair_width=13, dropout=0.0, seed=1)
    model.shrinkage.fill_(0.0)
    side = side_information(None, INFO, 90, 60)
    scorer = NeighbourScorer(
        [model],
        VALUES,
        cap=10,
        device=torch.device("cpu"),
        estimates=GraphEstimates(("mf",), 1, tmp_path_factory.mktemp("run") / "estimates.ckpt", side),
    )
    scorer.known.estimates.keep(known_ratings(GRAPH, SCALE), 1)
    return predictor_of(GRAPH, scorer, "neighbours")


OTHER = next(item for item in range(50, 60) if KINDS[item] != KINDS[55])
NEW = pd.DataFrame(
    {"id": [90, 70, 80], "genres": [KINDS[55], KINDS[OTHER], "kind 9"], "title": ["x", "y", "z"]}
)


def test_a_new_item_is_answered_like_an_unrated_one_of_its_kind(predictor):
    told = predictor.with_items(NEW)
    found = told.predict(3, [90, 70, 55, OTHER])
    assert set(found["source"]) == {"model"}
    np.testing.assert_allclose(found["score"][:2], found["score"][2:], rtol=1e-3)
    assert abs(found["score"][0] - found["score"][1]) > 0.05
    np.testing.assert_array_equal(told.predict(3, [5, 55]), predictor.predict(3, [5, 55]))
    assert told.info.genres[-3:] == (KINDS[OTHER], "kind 9", KINDS[55])
    assert set(told.predict(3, [80])["source"]) == {"user mean"}, "nothing known of that kind"
    assert set(predictor.predict(3, [90])["source"]) == {"user mean"}


def test_newcomers_get_new_items_too(predictor):
    told = predictor.with_items(NEW)
    view = told.score_user({1: 5.0, 2: 1.0}, [90, 55])
    assert set(view["source"]) == {"model"}
    np.testing.assert_allclose(view["score"][0], view["score"][1], rtol=1e-3)
    listed = told.recommend(ratings={1: 5.0}, items=[90, 70], k=2)
    assert sorted(listed["item_id"]) == [70, 90]


def test_ratings_of_a_new_item_count_beside_what_is_told_of_it(predictor):
    told = predictor.with_items(NEW)
    before = told.predict(3, 90)["score"][0]
    few = pd.DataFrame({"user_id": [1, 2, 4, 5], "item_id": 90, "rating": 5.0})
    after = told.add_ratings(few).predict(3, 90)["score"][0]
    blind = predictor.add_ratings(few).predict(3, 90)["score"][0]
    assert after > before + 0.1
    assert after != pytest.approx(blind, abs=0.01)


def test_where_so_much_is_new_that_all_is_sorted_anew_items_stay_described(predictor):
    told = predictor.with_items(NEW)
    user, item = (a.ravel() for a in np.meshgrid(np.arange(90), np.arange(50, 58)))
    much = told.add_ratings(pd.DataFrame({"user_id": user, "item_id": item, "rating": 3.0}))
    assert not much.graph.is_patched
    assert much.predict(3, 90)["source"][0] == "model"


def test_a_file_of_new_items(predictor, tmp_path):
    path = tmp_path / "new.csv"
    NEW.to_csv(path, index=False)
    asked = ([3, 3], [90, 70])
    one, other = with_items_file(predictor, path), predictor.with_items(NEW)
    np.testing.assert_array_equal(one.predict(*asked)["score"], other.predict(*asked)["score"])
    assert one.items.ids[60:] == (70, 80, 90)


def test_errors(predictor):
    with pytest.raises(DataError, match="knows this item already; got 5"):
        predictor.with_items(pd.DataFrame({"item_id": [70, 5], "genres": ["a", "b"]}))
    with pytest.raises(DataError, match="describes an id twice, in different ways; got 70"):
        predictor.with_items(pd.DataFrame({"item_id": [70, 70], "genres": ["a", "b"]}))
    with pytest.raises(DataError, match="no column of side information"):
        predictor.with_items(pd.DataFrame({"item_id": [70], "price": [1.0]}))
    scorer = NeighbourScorer(predictor.scorer.models, VALUES, cap=10, device=torch.device("cpu"))
    with pytest.raises(ConfigError, match="reads nothing of items but their ratings"):
        predictor_of(GRAPH, scorer, "neighbours").with_items(NEW)
