import numpy as np
import pytest
from scipy import sparse

from igmc.config import RankerConfig
from igmc.ranking.candidates import find_candidates
from igmc.ranking.fitting import fit_ranker
from igmc.ranking.ranker import Ranker
from tests.ranking.test_closed_forms import board, rows_of


@pytest.fixture(scope="module")
def ranker():
    return fit_ranker(board(users=60, items=25), RankerConfig(folds=2, epochs=1, members=2, candidates=6))


def test_candidates_stand_before_all_others_and_those_before_what_is_seen(ranker):
    rating = board(users=60, items=25)
    rows = rows_of(rating, own=np.arange(60))
    scores = ranker.scores(rows)
    assert np.isfinite(scores).all()
    found = find_candidates(ranker.forms, rows, 6)
    for user in range(60):
        seen = rating[[user]].indices
        left = np.setdiff1d(np.arange(25), np.concatenate([seen, found.item[user]]))
        mine = np.setdiff1d(found.item[user], seen)
        if len(left) and len(mine):
            assert scores[user, mine].min() > scores[user, left].max()
            order = left[np.argsort(-scores[user, left])]
            assert (np.diff(found.promise[user, order]) <= 0).all()
        if len(seen) and len(left):
            assert scores[user, left].min() > scores[user, seen].max()


def test_who_is_asked_beside_changes_nothing(ranker):
    rows = rows_of(board(users=60, items=25), own=np.arange(60))
    one = rows_of(board(users=60, items=25)[[7]], own=[7])
    assert ranker.scores(one)[0] == pytest.approx(ranker.scores(rows)[7], abs=1e-4)


def test_a_state_gives_the_same_lists(ranker):
    rating = board(users=60, items=25)
    rows = rows_of(rating, own=np.arange(60))
    again = Ranker.from_state(ranker.config, rows.seen, ranker.state())
    assert again.scores(rows) == pytest.approx(ranker.scores(rows), abs=0.05)


def test_it_can_be_laid_over_other_ratings(ranker):
    other = board(users=20, items=9, seed=5)
    moved = ranker.on(other)
    assert moved.n_items == 9
    assert moved.scores(rows_of(other)).shape == (20, 9)
    assert moved.networks == ranker.networks


def test_someone_who_has_seen_all_is_no_error(ranker):
    everything = sparse.csr_array(np.ones((1, 25), np.float32))
    assert np.isfinite(ranker.scores(rows_of(everything))).all()
