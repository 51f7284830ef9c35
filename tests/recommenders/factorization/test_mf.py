import numpy as np
import pytest

from igmc.errors import TrainingError
from igmc.recommenders.registry import make_recommender
from igmc.recommenders.validation_ndcg import validation_ndcg
from tests.recommenders.boards import data_of, liked_board, ratings
from tests.recommenders.contract import NewItemRankingContract, NewUserRankingContract, RecommenderContract


class TestMF(RecommenderContract):
    name = "mf"
    settings = {"factors": 2, "burn_in": 20, "draws": 10, "epochs": 40}
    random = True
    changes = {
        "objective": "ranking",
        "factors": 3,
        "burn_in": 5,
        "draws": 2,
        "thin": 1,
        "patience": 1,
        "side_features": None,
        "epochs": ({"objective": "ranking"}, 1),
        "learning_rate": ({"objective": "ranking"}, 0.01),
        "regularization": ({"objective": "ranking"}, 0.5),
    }


class TestMFThatRanks(NewUserRankingContract, NewItemRankingContract, RecommenderContract):
    name = "mf"
    new_user_settings = {"objective": "ranking", "factors": 4, "learning_rate": 0.05}
    new_item_settings = new_user_settings
    settings = {"objective": "ranking", "factors": 4, "epochs": 40, "learning_rate": 0.05}
    random = True
    changes = {
        "objective": "rating",
        "factors": 3,
        "burn_in": ({"objective": "rating"}, 5),
        "draws": ({"objective": "rating"}, 2),
        "thin": ({"objective": "rating"}, 1),
        "patience": 1,
        "side_features": None,
        "epochs": 1,
        "learning_rate": 0.01,
        "regularization": 0.5,
    }


def test_bpr_stops_by_validation_and_keeps_the_best_epoch():
    data, left = liked_board(known=0.5)
    user = np.repeat(np.arange(len(left)), [len(items) for items in left])
    wanted = ratings(user, np.concatenate(left), np.full(len(user), 5.0))
    data = data_of(data.train, wanted, n_users=data.n_users, n_items=data.n_items)
    model = make_recommender("mf", {"objective": "ranking", "factors": 4, "patience": 4}).fit(data)
    measured = [record["validation_ndcg"] for record in model.history]
    assert len(measured) < 200
    assert model.chosen_config().epochs == int(np.argmax(measured)) + 1 == len(measured) - 4
    assert validation_ndcg(model.scores, data) == pytest.approx(max(measured))


def test_bpr_that_diverges_says_so():
    data, _ = liked_board()
    with pytest.raises(TrainingError, match=r"diverged in epoch \d+; got 10.0; .* lower learning_rate"):
        make_recommender("mf", {"objective": "ranking", "learning_rate": 10, "regularization": 5}).fit(data)
