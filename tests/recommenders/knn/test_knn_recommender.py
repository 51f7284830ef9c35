import numpy as np
import pytest

from igmc.recommenders.biases import BiasConfig, Biases
from igmc.recommenders.registry import make_recommender
from tests.recommenders.boards import data_of, ratings
from tests.recommenders.knn.contract import tastes


def slow_similarity(table, known, kind, shrinkage):
    """Of the rows of a table, pair by pair; `known` tells which of its numbers count."""
    n = len(table)
    found = np.zeros((n, n), np.float32)
    for a in range(n):
        for b in range(n):
            both = known[a] & known[b]
            if a == b or not both.any():
                continue
            if kind == "pearson over common":
                left, right = table[a, both], table[b, both]
            else:
                left, right = table[a] * known[a], table[b] * known[b]
            if kind == "phi":
                left, right = left - left.mean(), right - right.mean()
            norm = np.linalg.norm(left) * np.linalg.norm(right)
            value = left @ right / norm if norm > 1e-9 else 0.0
            found[a, b] = max(value, 0) * both.sum() / (both.sum() + shrinkage)
    return found


def slow_predictions(data, settings, side):
    """As the docstrings say it, from dense tables, users x items."""
    known = data.matrix().toarray() != 0
    ranks = settings.get("objective") == "ranking"
    biases = Biases(BiasConfig(damping=5.0)).fit(data)
    base = biases.scores(np.arange(data.n_users)).astype(np.float64)
    values = np.ones(known.shape) if ranks else data.matrix().toarray() - base
    cosine = settings.get("similarity") == "cosine"
    compared = data.matrix().toarray() if cosine and not ranks else values
    kind = "cosine" if cosine else "phi" if ranks else "pearson over common"
    turn = (lambda table: table) if side == "user" else np.transpose
    similar = slow_similarity(turn(compared), turn(known), kind, settings["shrinkage"])
    out = np.zeros(turn(known).shape)
    for row, column in np.ndindex(out.shape):
        near = np.argsort(-similar[row], kind="stable")[: settings["kept"]]
        near = [b for b in near if similar[row, b] > 0 and turn(known)[b, column]][: settings["neighbours"]]
        total = similar[row, near] @ turn(values)[near, column]
        if not ranks and len(near):
            total = total / (similar[row, near].sum() + 0.3)
        out[row, column] = total
    return turn(out) + (0 if ranks else base)


@pytest.mark.parametrize("similarity", ["pearson", "cosine"])
@pytest.mark.parametrize("objective", ["rating", "ranking"])
@pytest.mark.parametrize("side", ["user", "item"])
def test_predictions_are_those_of_the_slow_twin(side, objective, similarity):
    data = tastes()
    settings = {"objective": objective, "similarity": similarity}
    settings |= {"kept": 6, "neighbours": 3, "shrinkage": 2.0}
    model = make_recommender(f"{side}_knn", settings).fit(data)
    expected = slow_predictions(data, settings, side)
    np.testing.assert_allclose(model.scores(np.arange(data.n_users)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("objective", ["rating", "ranking"])
@pytest.mark.parametrize("side", ["user", "item"])
def test_new_columns_and_new_rows_count_as_in_a_model_of_all_ratings(side, objective):
    data = tastes(1)
    known = data.train
    late = known.user == 3 if side == "user" else known.item == 3
    old, support = (ratings(known.user[m], known.item[m], known.rating[m]) for m in (~late, late))
    settings = {"objective": objective, "similarity": "cosine", "shrinkage": 1.0, "damping": 1e9}
    whole = make_recommender(f"{side}_knn", settings).fit(data)
    model = make_recommender(f"{side}_knn", settings).fit(data_of(old, n_users=14, n_items=11))
    folded = model.fold_in(support)
    np.testing.assert_array_equal(folded.near[3], whole.near[3])
    np.testing.assert_allclose(folded.weight[3], whole.weight[3], rtol=1e-5)
    others = np.delete(np.arange(len(whole.near)), 3)
    assert not (folded.near[others] == 3).any()


@pytest.mark.parametrize("side", ["user", "item"])
def test_ratings_on_the_other_side_count_at_once_and_leave_the_neighbours_alone(side):
    data = tastes(2)
    known = data.train
    late = known.item == 3 if side == "user" else known.user == 3
    old, support = (ratings(known.user[m], known.item[m], known.rating[m]) for m in (~late, late))
    model = make_recommender(f"{side}_knn", {"shrinkage": 1.0}).fit(data_of(old, n_users=14, n_items=11))
    folded = model.fold_in(support)
    np.testing.assert_array_equal(folded.near, model.near)
    pairs = (np.arange(14), np.full(14, 3)) if side == "user" else (np.full(11, 3), np.arange(11))
    moved = folded.predict(*pairs) - model.predict(*pairs)
    assert np.std(moved) > 0.1, "more than the bias has changed"


@pytest.mark.parametrize(
    ("name", "objective", "expected"),
    [
        ("item_knn", "rating", ("pearson", 100, 40, 500)),
        ("user_knn", "rating", ("pearson", 100, 40, 500)),
        ("item_knn", "ranking", ("cosine", 10, 100, 100)),
        ("user_knn", "ranking", ("pearson", 0, 40, 500)),
    ],
)
def test_what_is_not_given_suits_model_and_objective(name, objective, expected):
    chosen = make_recommender(name, {"objective": objective}).chosen_config()
    assert (chosen.similarity, chosen.shrinkage, chosen.neighbours, chosen.kept) == expected
    given = make_recommender(name, {"objective": objective, "kept": 7}).chosen_config()
    assert given == chosen.replace(kept=7)


def test_as_many_are_kept_as_are_asked_for():
    assert (
        make_recommender("item_knn", {"objective": "ranking", "neighbours": 240}).chosen_config().kept == 240
    )
    assert (
        make_recommender("item_knn", {"objective": "ranking", "neighbours": 20}).chosen_config().kept == 100
    )
    assert make_recommender("item_knn", {"neighbours": 9, "kept": 7}).chosen_config().kept == 7
