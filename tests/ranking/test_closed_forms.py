import numpy as np
import pytest
from scipy import sparse

from igmc.ranking import closed_forms
from igmc.ranking.closed_forms import FORMS, ClosedForms, Rows


def board(users=30, items=12, share=0.4, seed=0):
    rng = np.random.default_rng(seed)
    rating = rng.integers(1, 6, (users, items)) * (rng.random((users, items)) < share)
    rating[:, -1] = 0  # an item that nobody has rated
    return sparse.csr_array(rating.astype(np.float32))


def rows_of(rating, own=None):
    seen = rating.copy()
    seen.data = np.ones_like(seen.data)
    return Rows(seen, rating, np.full(rating.shape[0], -1) if own is None else np.asarray(own))


def standardized(values):
    spread = values.std(axis=1, keepdims=True)
    return (values - values.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1)


def by_definition(rating, rows):
    """All forms from dense matrices, as the module defines them."""
    x = (rating.toarray() > 0).astype(float)
    shown, own = rows.seen.toarray(), rows.own
    n_user, n_item = np.maximum(x.sum(1), 1), np.maximum(x.sum(0), 1)
    gram = x.T @ x
    found = {}
    mean = x.sum(0)[x.sum(0) > 0].mean()
    for form, strength in (("ease_weak", 4), ("ease_strong", 16)):
        p = np.linalg.inv(gram + strength * mean * np.eye(len(gram)))
        b = -p / np.diag(p)
        np.fill_diagonal(b, 0)
        found[form] = shown @ b
    rated = rows.rating.toarray()
    mu = rating.data.mean()
    base = (rated.sum(1) + 5 * mu) / (shown.sum(1) + 5)
    found["liking"] = np.where(shown > 0, rated - base[:, None], 0) @ b
    cosine = gram / np.sqrt(np.outer(n_item, n_item)) * gram / (gram + 10)
    np.fill_diagonal(cosine, 0)
    found["cosine"] = shown @ cosine
    walk = (x / n_item).T @ (x / n_user[:, None]) / n_item**0.4
    np.fill_diagonal(walk, 0)
    found["walk"] = shown @ walk
    similar = shown @ (x / np.sqrt(n_user)[:, None]).T
    for row, user in enumerate(own):
        if user >= 0:
            similar[row, user] = 0
    for form, most in (("users_few", 5), ("users_many", 10_000)):
        kept = similar.copy()
        if most < similar.shape[1]:
            kept[kept < np.sort(kept, axis=1)[:, -most][:, None]] = 0
        found[form] = kept @ x
    found["popularity"] = np.tile(np.log1p(x.sum(0)), (len(shown), 1))
    return found


def test_each_form_is_what_it_is_defined_to_be(monkeypatch):
    monkeypatch.setattr(closed_forms, "NEIGHBOURS", (5, 10_000))
    rating = board()
    rows = rows_of(board(users=4, seed=1), own=[-1, 3, 7, -1])
    scores = ClosedForms.fit(rating).scores(rows)
    for form, expected in by_definition(rating, rows).items():
        found = scores[:, :, FORMS.index(form)]
        np.testing.assert_allclose(found, standardized(expected), atol=2e-3, err_msg=form)


def test_the_low_pass_filter_of_full_rank_gives_back_what_was_seen():
    rating = board()
    rows = rows_of(rating)
    found = ClosedForms.fit(rating).scores(rows)[:, :, FORMS.index("low_pass")]
    np.testing.assert_allclose(found, standardized(rows.seen.toarray()), atol=1e-3)  # 12 items, rank 48


def test_few_leading_vectors_of_many_are_those_of_the_whole(monkeypatch):
    monkeypatch.setattr(closed_forms, "RANK", 3)
    rating = board(users=60, items=20)
    x = (rating.toarray() > 0).astype(float)
    scaled = x / np.sqrt(np.maximum(x.sum(1), 1))[:, None] / np.sqrt(np.maximum(x.sum(0), 1))
    right = np.linalg.svd(scaled)[2][:3]
    root = np.sqrt(np.maximum(x.sum(0), 1))
    expected = (x / root) @ right.T @ right * root
    found = ClosedForms.fit(rating).scores(rows_of(rating))[:, :, FORMS.index("low_pass")]
    np.testing.assert_allclose(found, standardized(expected), atol=1e-3)


def test_items_beyond_the_most_rated_are_scored_by_users_and_popularity(monkeypatch):
    monkeypatch.setattr(closed_forms, "MOST_ITEMS", 4)
    rating = board()
    scores = ClosedForms.fit(rating).scores(rows_of(rating))
    rare = np.argsort(-np.diff(sparse.csr_array(rating.T).indptr), kind="stable")[4:]
    for form in ("ease_weak", "cosine", "walk", "low_pass"):
        assert (np.ptp(scores[:, rare, FORMS.index(form)], axis=1) == 0).all(), form
    assert (np.ptp(scores[:, rare, FORMS.index("users_few")], axis=1) > 0).any()


def test_ratings_without_values_have_no_liking():
    rating = rows_of(board()).seen
    scores = ClosedForms.fit(rating).scores(rows_of(rating))
    assert not scores[:, :, FORMS.index("liking")].any()
    assert np.isfinite(scores).all()


def test_someone_without_ratings_gets_popularity_alone():
    scores = ClosedForms.fit(board()).scores(rows_of(sparse.csr_array((1, 12), dtype=np.float32)))
    assert [form for k, form in enumerate(FORMS) if scores[0, :, k].any()] == ["popularity"]


def test_a_state_in_half_precision_gives_nearly_the_same():
    rating = board()
    forms, rows = ClosedForms.fit(rating), rows_of(rating, own=np.arange(30))
    again = ClosedForms.from_state(rows.seen, forms.state())
    assert again.scores(rows) == pytest.approx(forms.scores(rows), abs=0.02)
