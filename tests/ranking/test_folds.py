import numpy as np
import pytest

from igmc.config import RankerConfig
from igmc.ranking import folds
from igmc.ranking.folds import draw_fold
from tests.ranking.test_closed_forms import board


def dense(matrix):
    return matrix.toarray()


def test_what_is_asked_is_known_to_nothing_and_the_rest_is():
    rating = board(users=60, items=30)
    fold = draw_fold(rating, RankerConfig(hidden=0.2, newcomers=0.3), seed=1, fold=0)
    users = np.flatnonzero(np.isin(np.arange(60), np.flatnonzero(np.diff(rating.indptr) >= 2)))
    assert len(fold.rows.own) == len(users)
    known, shown, asked, all_of = dense(fold.known), dense(fold.rows.rating), dense(fold.asked), dense(rating)
    strangers = fold.rows.own < 0
    assert 5 < strangers.sum() < 35
    for place, user in enumerate(users):
        np.testing.assert_array_equal(shown[place] + asked[place] * all_of[user], all_of[user])
        assert not (shown[place] * asked[place]).any()
        assert asked[place].any()
        assert shown[place].any()
        size = (all_of[user] > 0).sum()
        if strangers[place]:
            assert not known[user].any()
        else:
            assert fold.rows.own[place] == user
            np.testing.assert_array_equal(known[user], shown[place])
            assert (asked[place] > 0).sum() == max(1, round(0.2 * size))
    np.testing.assert_array_equal(dense(fold.rows.seen), shown > 0)


def test_folds_differ_and_equal_ones_are_equal():
    rating, config = board(), RankerConfig()
    first, again, other = (draw_fold(rating, config, 1, fold) for fold in (0, 0, 1))
    np.testing.assert_array_equal(dense(first.asked), dense(again.asked))
    assert first.asked.shape != other.asked.shape or (dense(first.asked) != dense(other.asked)).any()
    assert (dense(draw_fold(rating, config, 2, 0).asked) != dense(first.asked)).any()


def test_what_is_rated_below_the_users_mean_is_not_asked_for():
    rating = board(users=60, items=30)
    rated, liked = (draw_fold(rating, RankerConfig(target=target), 1, 0) for target in ("rated", "liked"))
    users = np.flatnonzero(np.diff(rating.indptr) >= 2)
    for user, hidden, asked in zip(users, dense(rated.asked), dense(liked.asked), strict=True):
        own = dense(rating)[user]
        np.testing.assert_array_equal(asked, hidden * (own >= own[own > 0].mean()))
    assert 0.2 < liked.asked.nnz / rated.asked.nnz < 0.8


@pytest.mark.parametrize("value", [3.3, 0.0])
def test_equal_ratings_are_all_liked(value):
    rating = board(users=60, items=30)
    rating.data[:] = value
    rated, liked = (draw_fold(rating, RankerConfig(target=target), 1, 0) for target in ("rated", "liked"))
    np.testing.assert_array_equal(dense(liked.asked), dense(rated.asked))
    assert dense(rated.asked).any()


def test_a_bound_on_those_who_are_asked(monkeypatch):
    monkeypatch.setattr(folds, "MOST_USERS", 7)
    fold = draw_fold(board(), RankerConfig(), 1, 0)
    assert len(fold.rows.own) == fold.asked.shape[0] == fold.rows.seen.shape[0] == 7
