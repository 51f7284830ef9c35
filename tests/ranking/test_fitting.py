import numpy as np
import pytest
import torch
from scipy import sparse

from igmc.config import RankerConfig
from igmc.errors import DataError
from igmc.ranking.closed_forms import FORMS, Rows
from igmc.ranking.fitting import fit_ranker
from tests.ranking.test_closed_forms import board


def test_equal_seeds_give_equal_weights_and_the_loss_falls():
    config, records = RankerConfig(folds=2, epochs=4, members=1), []
    rating = board(users=80, items=25)
    first = fit_ranker(rating, config, seed=1, monitor=records.append)
    again, other = (fit_ranker(rating, config, seed=seed) for seed in (1, 2))
    assert torch.equal(first.networks[0].first, again.networks[0].first)
    assert not torch.equal(first.networks[0].first, other.networks[0].first)
    assert [record["epoch"] for record in records] == [1, 2, 3, 4]
    assert records[-1]["loss"] < records[0]["loss"]


def test_it_learns_which_closed_form_to_trust():
    """Everyone rates the two items of a block together, whoever else is popular."""
    rng = np.random.default_rng(0)
    blocks = rng.random((200, 15)) < 0.25
    dense = np.repeat(blocks, 2, axis=1).astype(np.float32)
    config = RankerConfig(folds=3, epochs=20, members=1, newcomers=0.0, learning_rate=0.02)
    ranker = fit_ranker(sparse.csr_array(dense), config)
    skip = ranker.networks[0].skip.detach().numpy().reshape(2, -1).sum(axis=0)
    assert skip[FORMS.index("cosine")] > skip[FORMS.index("popularity")]


@pytest.mark.parametrize("target", ["rated", "liked"])
def test_what_the_ranker_is_to_put_first(target):
    """Everyone rates four items of one half, and likes it, and four of the other, and does not."""
    rng = np.random.default_rng(0)
    dense = np.zeros((150, 40), np.float32)
    for user in range(150):
        good = user % 2 * 20
        dense[user, good + rng.permutation(20)[:4]] = 5
        dense[user, (good + 20) % 40 + rng.permutation(20)[:4]] = 1
    config = RankerConfig(target=target, folds=2, epochs=15, members=1, newcomers=0.0, hidden=0.25)
    rating = sparse.csr_array(dense)
    seen = sparse.csr_array((dense > 0).astype(np.float32))
    scores = fit_ranker(rating, config).scores(Rows(seen, rating, np.arange(150)))
    scores[dense > 0] = -np.inf
    first = np.argsort(-scores, axis=1)[:, :10] // 20
    found = (first == np.arange(150)[:, None] % 2).mean()
    assert found > 0.9 if target == "liked" else found < 0.7


def test_what_cannot_be_learned_from_is_refused():
    with pytest.raises(DataError, match="users with two ratings or more"):
        fit_ranker(sparse.csr_array(np.eye(5, dtype=np.float32)), RankerConfig())
