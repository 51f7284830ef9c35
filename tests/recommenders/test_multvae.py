import numpy as np
import pytest
import torch

from igmc.errors import TrainingError
from igmc.recommenders.multvae import MultVAEConfig, _Autoencoder
from igmc.recommenders.registry import make_recommender
from tests.recommenders.boards import checkerboard, liked_board, ratings
from tests.recommenders.contract import NewUserRankingContract, RecommenderContract

SMALL = {"hidden": 24, "latent": 8, "batch_size": 8, "learning_rate": 0.01, "epochs": 60, "anneal": 60}


class TestMultVAE(NewUserRankingContract, RecommenderContract):
    name = "multvae"
    settings = new_user_settings = SMALL
    changes = {
        **{"hidden": 20, "latent": 4, "dropout": 0.2, "beta": 1.0, "anneal": 2, "epochs": 3},
        **{"patience": None, "batch_size": 4, "learning_rate": 0.003},
    }
    quick = {"epochs": 4}
    random = True


def test_the_loss_is_that_of_the_paper():
    torch.manual_seed(0)
    network = _Autoencoder(5, MultVAEConfig(hidden=4, latent=3, dropout=0.0)).eval()  # eval: no noise
    chosen = torch.tensor([[1.0, 1, 0, 0, 0], [0, 0, 0, 1, 0]])
    with torch.no_grad():
        found = float(network.loss(chosen, 0.3))
        x = (chosen / chosen.norm(dim=1, keepdim=True)).numpy()
        w = {name: value.numpy() for name, value in network.state_dict().items()}
    code = (
        np.tanh(x @ w["encoder.0.weight"].T + w["encoder.0.bias"]) @ w["encoder.2.weight"].T
        + w["encoder.2.bias"]
    )
    mean, log_variance = code[:, :3], code[:, 3:]
    scores = np.tanh(mean @ w["decoder.0.weight"].T + w["decoder.0.bias"]) @ w["decoder.2.weight"].T
    scores += w["decoder.2.bias"]
    log_share = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    divergence = 0.5 * (np.exp(log_variance) + mean**2 - 1 - log_variance).sum(axis=1)
    expected = np.mean(0.3 * divergence - (chosen.numpy() * log_share).sum(axis=1))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_it_stops_at_the_best_epoch_and_a_refit_takes_as_many():
    data, _ = checkerboard()
    model = make_recommender("multvae", {**SMALL, "patience": 2}).fit(data)
    measured = [record["validation_ndcg"] for record in model.history]
    best = int(np.argmax(measured)) + 1
    assert model.chosen_config().epochs == best
    assert len(measured) == best + 2 < SMALL["epochs"]
    assert len(model.refit(data).history) == best


def test_a_newcomer_gets_what_a_user_with_the_same_items_gets():
    data, _ = liked_board()
    model = make_recommender("multvae", SMALL).fit(data)
    mine, stranger = data.train.user == 3, data.n_users - 1
    copied = ratings(np.full(mine.sum(), stranger), data.train.item[mine], np.ones(mine.sum()))
    np.testing.assert_allclose(model.fold_in(copied).scores([stranger]), model.scores([3]), rtol=1e-5)


def test_a_loss_that_is_not_finite_ends_the_training():
    with pytest.raises(TrainingError, match=r"the loss is not finite in epoch .*lower learning_rate"):
        make_recommender("multvae", {**SMALL, "learning_rate": 10.0, "beta": 10.0, "anneal": 1}).fit(
            liked_board()[0]
        )
