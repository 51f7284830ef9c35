from tests.recommenders.contract import RecommenderContract


class _KNN(RecommenderContract):
    settings = {"neighbours": 5, "kept": 10, "shrinkage": 1.0}
    changes = {
        "objective": "ranking",
        "similarity": "cosine",
        "shrinkage": 30.0,
        "neighbours": 1,
        "kept": 1,
        "damping": 30.0,
    }


class TestItemKNN(_KNN):
    name = "item_knn"


class TestUserKNN(_KNN):
    name = "user_knn"


class _RankingKNN(RecommenderContract):
    settings = {"objective": "ranking", "neighbours": 5, "kept": 10, "shrinkage": 1.0}
    changes = {
        "objective": "rating",
        "similarity": "cosine",
        "shrinkage": 30.0,
        "neighbours": 1,
        "kept": 1,
        "damping": ({"objective": "rating"}, 30.0),
    }


class TestItemKNNThatRanks(_RankingKNN):
    name = "item_knn"


class TestUserKNNThatRanks(_RankingKNN):
    name = "user_knn"
