"""Pairs of newcomers of opposite tastes, and how much their lists have in common."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from igmc.errors import DataError
from igmc.evaluation.metrics.opposites import LEAST, PAIRS, draw_opposites, opposite_overlap


def random_known(seed, users=60, items=100):
    """Ratings 1..5, items of low index rated more often."""
    rng = np.random.default_rng(seed)
    known = rng.random((users, items)) < np.linspace(1.0, 0.1, items)
    return sparse.csr_array(known * rng.integers(1, 6, (users, items)).astype(np.float64))


@pytest.mark.parametrize("seed", range(5))
def test_what_is_liked_and_disliked_is_what_a_user_rated_highest_and_lowest_above_the_means(seed):
    known = random_known(seed)
    pairs = draw_opposites(known, seed)
    dense = known.toarray()
    rated = dense > 0
    count = rated.sum(axis=0)
    popular = sorted(range(100), key=lambda item: (-count[item], item))[:20]
    excess = dense - dense.sum(axis=0) / count
    assert pairs.liked.shape == pairs.disliked.shape == (PAIRS, 4)
    makers = set()
    for liked, disliked in zip(*pairs, strict=True):
        assert set(liked) | set(disliked) <= set(popular)
        fits = []
        for user in range(60):
            own = [item for item in popular if rated[user, item]]
            rest = [item for item in own if item not in {*liked, *disliked}]
            if len(own) < LEAST or len(rest) != len(own) - 8:
                continue
            highest, lowest = min(excess[user, liked]), max(excess[user, disliked])
            if highest >= max(excess[user, rest]) and lowest <= min(excess[user, rest]):
                fits.append(user)
        assert fits, "nobody has this taste"
        makers.update(fits)
    assert len(makers) >= PAIRS, "each pair is made of another user"


def test_equal_seeds_draw_equal_pairs_and_others_others():
    known = random_known(0)
    first, again, other = (draw_opposites(known, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_of_users_with_few_ratings_no_newcomer_is_made():
    few = sparse.csr_array(random_known(0).toarray() * (np.arange(100) < LEAST - 1))
    assert draw_opposites(few, 1).liked.shape == (0, 4)
    short = random_known(0)[:7]
    assert len(draw_opposites(short, 1).liked) <= 7


def test_the_overlap_is_the_share_that_both_lists_have():
    first, second = [[1, 2, 3, 4], [5, 6, 7, 8], [0, 1, 2, 3]], [[4, 3, 9, 0], [1, 2, 3, 4], [3, 2, 1, 0]]
    assert opposite_overlap(first, second, 10).tolist() == [0.5, 0.0, 1.0]
    with pytest.raises(DataError, match="the lists of both newcomers differ in shape"):
        opposite_overlap(first, second[:2], 10)
    with pytest.raises(DataError, match="out of range"):
        opposite_overlap(first, second, 9)


@given(st.integers(0, 10**6), st.integers(1, 10))
def test_the_overlap_is_symmetric_and_blind_to_order(seed, k):
    rng = np.random.default_rng(seed)
    first, second = rng.permuted(np.tile(np.arange(12), (2, 5, 1)), axis=2)[:, :, :k]
    shared = opposite_overlap(first, second, 12)
    np.testing.assert_array_equal(shared, opposite_overlap(second[:, ::-1], first, 12))
    expected = [len(set(a) & set(b)) / k for a, b in zip(first.tolist(), second.tolist(), strict=True)]
    assert shared.tolist() == expected
