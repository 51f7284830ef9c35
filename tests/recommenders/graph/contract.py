"""What every graph recommender must do, besides what every recommender must."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from igmc.errors import ConfigError, TrainingError
from tests.recommenders.boards import checkerboard, data_of, liked_board
from tests.recommenders.contract import RecommenderContract

SMALL = {"dim": 8, "layers": 2, "learning_rate": 0.1, "epochs": 6, "edge_weight": "centred"}
RANKS = {"dim": 8, "layers": 2, "learning_rate": 0.03, "epochs": 30, "batch_size": 30, "edge_weight": "none"}
CHANGES = {
    "objective": "ranking",
    "learning_rate": 0.05,
    "l2": 0.1,
    "batch_size": 10,
    "epochs": ({"epochs": 6}, 2),
    "patience": ({"epochs": 20, "learning_rate": 0.2}, 1),
    "dim": 4,
    "layers": 1,
    "edge_weight": "rating",
    "half_life": ({"edge_weight": "recency"}, 1e-3),
    "edge_dropout": 0.5,
    "neighbors": [3, 3],
}


FEATURE_CHANGES = {
    **CHANGES,
    "inputs": "both",
    "tag_rank": ({"inputs": "features"}, 1),
    "batch_norm": True,
    "dropout": 0.5,
    "weight_decay": 0.1,
}


def genres(n_items):
    return pd.DataFrame({"genres": ["even" if item % 2 == 0 else "odd" for item in range(n_items)]})


def told_board():
    """The checkerboard, where the genre says which squares of a row an item is; tags say nothing."""
    data, asked = checkerboard()
    return (
        data_of(
            data.train,
            data.validation,
            n_users=data.n_users,
            n_items=data.n_items,
            item_info=genres(data.n_items),
            item_tags=lambda: {"tags": sparse.csr_array(np.eye(data.n_items, 5, dtype=np.float32))},
        ),
        asked,
    )


class GraphContract(RecommenderContract):
    random = True
    settings = {"objective": "rating", **SMALL}
    changes = CHANGES
    quick = {"epochs": 2}

    def liked_board(self):
        return liked_board()

    def test_it_ranks_what_was_left_out_first(self):
        data, left = self.liked_board()
        model = self.make(objective="ranking", **RANKS).fit(data)
        assert model.ranks_only
        scores = model.scores(np.arange(len(left)))
        right = [
            scores[user, item] > scores[user, other]
            for user, liked in enumerate(left)
            for item in liked
            for other in range(1 - user % 2, scores.shape[1] - 1, 2)
        ]
        assert np.mean(right) > 0.95

    def test_neighbour_sampling_learns_the_board_too(self):
        data, asked = self.board()
        model = self.make(neighbors=[6, 6]).fit(data)
        assert np.mean((model.predict(asked.user, asked.item) > 3) == (asked.rating > 3)) > 0.9
        with pytest.raises(
            ConfigError, match=r"fan-outs differs from the number of layers; got \(6,\); allowed: 2"
        ):
            self.make(neighbors=[6]).fit(data)

    def test_gradients_are_cleared_before_each_step(self, monkeypatch):
        sizes = []

        def look(optimizer, closure=None):
            groups = optimizer.param_groups
            sizes.append(sum(float(p.grad.norm()) for g in groups for p in g["params"]))

        # Weights that stay as they are have gradients of one size; stale ones would add up.
        monkeypatch.setattr(torch.optim.Adam, "step", look)
        self.make(epochs=5).fit(self.board()[0])
        assert len(sizes) == 5 * 8
        assert np.mean(sizes[-8:]) < 1.5 * np.mean(sizes[:8])

    def test_the_history_tells_of_each_epoch_and_the_best_one_is_kept(self):
        data, _ = self.board()
        seen = []
        model = self.make(epochs=6).fit(data, monitor=lambda record: seen.append(dict(record)))
        assert seen == model.history
        assert list(seen[0]) == ["epoch", "loss", "learning_rate", "validation_rmse"]
        assert [record["epoch"] for record in seen] == [1, 2, 3, 4, 5, 6]
        errors = [record["validation_rmse"] for record in seen]
        assert model.chosen_config().epochs == 1 + int(np.argmin(errors))
        part = data.validation
        error = np.sqrt(np.mean((model.predict(part.user, part.item) - part.rating) ** 2))
        assert error == pytest.approx(min(errors), rel=1e-5)
        assert "validation_ndcg" in self.make(objective="ranking", epochs=1).fit(data).history[0]

    def test_a_loss_that_is_not_finite_is_an_error(self):
        data, _ = self.board()
        huge = type(data.train)(
            data.train.user, data.train.item, data.train.rating * 1e30, data.train.timestamp
        )
        with pytest.raises(TrainingError, match=r"not finite in epoch 1; .*lower learning_rate"):
            self.make().fit(data_of(huge, n_users=data.n_users, n_items=data.n_items))

    def test_embeddings_make_the_scores(self, fitted):
        model, data, _ = fitted
        users, items = model.embeddings()
        assert users.dtype == items.dtype == np.float32
        assert (len(users), len(items)) == (data.n_users, data.n_items)
        assert users.shape[1] == items.shape[1]
        ranked = self.make(objective="ranking", epochs=2).fit(data)
        users, items = ranked.embeddings()
        np.testing.assert_allclose(ranked.scores([0, 3]), users[[0, 3]] @ items.T, rtol=1e-5)

    def test_torch_is_left_as_it_was(self):
        torch.manual_seed(5)
        expected = torch.rand(1)
        torch.manual_seed(5)
        self.make(epochs=1).fit(self.board()[0])
        assert torch.rand(1) == expected

    def test_the_edge_of_a_rating_has_no_say_in_its_own_prediction(self):
        """Else the loss would fall on ratings that are noise, which only their own edge can tell."""
        data, _ = checkerboard(known=0.7)
        noise = np.random.default_rng(0).permutation(data.train.rating)
        train = type(data.train)(data.train.user, data.train.item, noise, data.train.timestamp)
        blind = data_of(train, n_users=data.n_users, n_items=data.n_items)
        model = self.make(l2=10.0, epochs=5).fit(blind)
        assert model.history[-1]["loss"] > 0.5 * np.var(noise)


class FeatureContract(GraphContract):
    settings = {**GraphContract.settings, "inputs": "ids"}
    changes = FEATURE_CHANGES

    def board(self):
        return told_board()
