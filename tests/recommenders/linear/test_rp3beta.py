import numpy as np
import pytest

from igmc.recommenders.linear import rp3beta
from igmc.recommenders.registry import make_recommender
from igmc.recommenders.validation_ndcg import validation_ndcg
from tests.recommenders.boards import data_of, liked_board, ratings
from tests.recommenders.contract import NewUserRankingContract, RecommenderContract


class TestRP3Beta(NewUserRankingContract, RecommenderContract):
    name = "rp3beta"
    changes = {"beta": 1.5, "alpha": 2.0, "kept": 2}

    def board(self):
        """With items of unequal popularity: on the checkerboard beta does nothing to the order or values."""
        data, asked = super().board()
        return data, asked


def walk(seen, user, alpha, beta):
    """The definition, a step at a time."""
    n_user, n_item = seen.sum(axis=1), seen.sum(axis=0)
    scores = np.zeros(seen.shape[1])
    for j in np.flatnonzero(seen[user]):
        for v in np.flatnonzero(seen[:, j]):
            for i in np.flatnonzero(seen[v]):
                if i != j:
                    scores[i] += n_item[j] ** -alpha * n_user[v] ** -alpha * n_item[i] ** -beta
    return scores


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0.0), (1.7, 0.6)])
def test_scores_are_those_of_the_walk(alpha, beta, monkeypatch):
    monkeypatch.setattr(rp3beta, "BLOCK", 3)  # several blocks, the last one smaller
    data, _ = liked_board(users=9, items=8, known=0.6)
    seen = (data.matrix().toarray() != 0).astype(float)
    model = make_recommender("rp3beta", {"alpha": alpha, "beta": beta}).fit(data)
    expected = [walk(seen, user, alpha, beta) for user in range(data.n_users)]
    np.testing.assert_allclose(model.scores(np.arange(data.n_users)), expected, rtol=1e-5)


def test_beta_is_the_best_on_validation_and_0_6_without_one():
    data, left = liked_board(known=0.4, seed=3)
    user = np.repeat(np.arange(len(left)), [len(items) for items in left])
    noise = np.random.default_rng(0).permutation(len(user))
    wanted = ratings(user, np.concatenate(left)[noise] % 5, np.full(len(user), 5.0))
    data = data_of(data.train, wanted, n_users=data.n_users, n_items=data.n_items)
    models = [make_recommender("rp3beta", {"beta": beta}).fit(data) for beta in rp3beta.BETAS]
    quality = [validation_ndcg(model.scores, data) for model in models]
    assert len(set(quality)) > 1
    model = make_recommender("rp3beta").fit(data)
    assert model.uses_validation
    assert model.chosen_config().beta == rp3beta.BETAS[int(np.argmax(quality))]
    assert make_recommender("rp3beta").fit(data.merged()).chosen_config().beta == 0.6


def test_only_the_largest_weights_are_kept():
    data, _ = liked_board()
    model = make_recommender("rp3beta", {"beta": 0.0, "kept": 3}).fit(data)
    assert np.diff(model.weights.indptr).max() == 3
