"""Which training targets show few ratings, and that nobody else does."""

import numpy as np

from igmc.config import ExtractConfig, RunConfig, TrainConfig
from igmc.loading.support_dropout import SupportDropout

USERS, ITEMS = (np.array(side, np.int32) for side in (np.repeat(range(300), 200), np.tile(range(200), 300)))
CONFIG = ExtractConfig(max_nodes_per_hop=20)


def test_how_many_ratings_are_shown_and_by_how_many():
    limit = SupportDropout(0.6, most=10).limits(USERS, ITEMS, seed=1, epoch=2)[0]
    n = len(limit)
    dropped = np.count_nonzero(limit >= 0)
    assert abs(dropped / n - 0.6) < 0.01
    shown = np.bincount(limit[limit >= 0], minlength=11) / dropped
    assert len(shown) == 11
    k = np.arange(1, 11)
    np.testing.assert_allclose(shown[1:], np.log((k + 1) / k) / np.log(11), atol=0.006)
    assert shown[0] == 0


def test_limits_depend_on_seed_epoch_and_pair_alone():
    dropout = SupportDropout(0.5, "both")
    whole = dropout.limits(USERS, ITEMS, seed=1, epoch=2)
    order = np.random.default_rng(0).permutation(len(USERS))[:1000]
    again = dropout.limits(USERS[order], ITEMS[order], seed=1, epoch=2)
    for limit, same in zip(whole, again, strict=True):
        np.testing.assert_array_equal(limit[order], same)
    for other in ({"seed": 2, "epoch": 2}, {"seed": 1, "epoch": 3}):
        assert not np.array_equal(dropout.limits(USERS, ITEMS, **other)[0], whole[0])


def test_both_sides_are_drawn_on_their_own():
    both = SupportDropout(0.5, "both").limits(USERS, ITEMS, seed=1, epoch=2)
    for at, side in enumerate(("user", "item")):
        one = SupportDropout(0.5, side).limits(USERS, ITEMS, seed=1, epoch=2)
        np.testing.assert_array_equal(one[at], both[at])
        assert np.all(one[1 - at] == -1)
    together = np.mean((both[0] >= 0) & (both[1] >= 0))
    assert abs(together - 0.25) < 0.01


def test_without_support_dropout_there_is_none():
    assert SupportDropout.of(TrainConfig()) is None
    config = TrainConfig(support_dropout=0.3, support_dropout_side="both", support_dropout_max=7)
    assert SupportDropout.of(config) == SupportDropout(0.3, "both", 7)


def test_settings_stored_before_there_was_support_dropout_are_the_same_as_now():
    assert not [key for key in TrainConfig().to_dict() if key.startswith("support")]
    assert RunConfig().digest() == "e853e89bbeae365b"
