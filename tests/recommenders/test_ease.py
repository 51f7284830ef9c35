from tests.recommenders.contract import RecommenderContract


class TestEASE(RecommenderContract):
    name = "ease"
    changes = {"regularization": 5000.0}
