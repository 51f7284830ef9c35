from tests.recommenders.contract import RecommenderContract


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
        "epochs": ({"objective": "ranking"}, 1),
        "learning_rate": ({"objective": "ranking"}, 0.01),
        "regularization": ({"objective": "ranking"}, 0.5),
    }


class TestMFThatRanks(RecommenderContract):
    name = "mf"
    settings = {"objective": "ranking", "factors": 4, "epochs": 40}
    random = True
    changes = {
        "objective": "rating",
        "factors": 3,
        "burn_in": ({"objective": "rating"}, 5),
        "draws": ({"objective": "rating"}, 2),
        "thin": ({"objective": "rating"}, 1),
        "patience": 1,
        "epochs": 1,
        "learning_rate": 0.01,
        "regularization": 0.5,
    }


class TestSVDpp(RecommenderContract):
    name = "svdpp"
    settings = {"factors": 2, "burn_in": 20, "draws": 10}
    random = True
    changes = {"factors": 3, "burn_in": 5, "draws": 2, "thin": 1, "patience": 1}
