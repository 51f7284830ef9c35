import numpy as np
from scipy import sparse

from igmc.ranking.candidates import PROMISING, find_candidates
from igmc.ranking.closed_forms import ClosedForms
from tests.ranking.test_closed_forms import board, rows_of


def test_the_most_promising_unseen_items_come_first():
    rating = board()
    forms, rows = ClosedForms.fit(rating), rows_of(rating, own=np.arange(30))
    found = find_candidates(forms, rows, 4)
    scores = forms.scores(rows)
    assert found.item.shape == (30, 4)
    for user in range(30):
        unseen = np.flatnonzero(rating[[user]].toarray()[0] == 0)
        mean = scores[user][:, PROMISING].mean(axis=1)
        best = sorted(unseen, key=lambda i, mean=mean: -mean[i])[:4]
        np.testing.assert_allclose(mean[found.item[user]], mean[best], atol=0.02)
        assert set(found.item[user]) <= set(unseen)
        np.testing.assert_array_equal(found.scores[user], scores[user][found.item[user]])


def test_where_all_are_asked_those_seen_are_last():
    rating = board()
    found = find_candidates(ClosedForms.fit(rating), rows_of(rating), 100)
    for user in range(30):
        seen = rating[[user]].indices
        assert set(found.item[user, 12 - len(seen) :]) == set(seen)
        assert np.isneginf(found.promise[user, seen]).all()


def test_the_context_tells_how_much_is_known_and_how_popular_items_are():
    rating = board()
    found = find_candidates(ClosedForms.fit(rating), rows_of(rating), 3)
    counts = np.log1p((rating.toarray() > 0).sum(axis=0))
    for user in range(30):
        mine = rating[[user]].indices
        usual = counts[mine].mean() if len(mine) else 0.0
        item = found.item[user]
        expected = [
            np.full(3, np.log1p(len(mine)) / 4),
            np.full(3, usual / 5),
            counts[item] / 5,
            (counts[item] - usual) / 2,
        ]
        np.testing.assert_allclose(found.context[user].T, expected, rtol=1e-5, atol=1e-6)


def test_popularity_decides_for_someone_without_ratings():
    rating = board()
    found = find_candidates(ClosedForms.fit(rating), rows_of(sparse.csr_array((1, 12), dtype=np.float32)), 5)
    counts = (rating.toarray() > 0).sum(axis=0)
    assert sorted(counts[found.item[0]]) == sorted(counts)[-5:]
    assert (np.diff(counts[found.item[0]]) <= 0).all()
