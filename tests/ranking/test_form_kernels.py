import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.ranking.form_kernels import standardize, user_forms


def places(dense):
    """A 0/1 matrix as CSR: ptr and column."""
    return np.concatenate([[0], np.cumsum(dense.sum(1))]).astype(np.int64), np.nonzero(dense)[1].astype(
        np.int32
    )


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(6, 40))
def test_users_as_similar_as_the_last_one_count_too(seed, few, many):
    rng = np.random.default_rng(seed)
    x = (rng.random((20, 9)) < 0.4).astype(np.float32)
    shown = (rng.random((4, 9)) < 0.4).astype(np.float32)
    own = np.array([-1, 4, 0, 20])  # the last one is not among those known
    similar = shown @ x.T  # whole numbers: many users are equally similar
    similar[[1, 2], own[1:3]] = 0
    weight = np.ones(int(x.sum()), np.float32)
    out = np.full((4, 2, 9), np.nan, np.float32)
    user_forms(places(shown), own, (*places(x.T), weight), places(x), few, many, out)
    for b in range(4):
        for place, most in enumerate((few, many)):
            least = np.sort(similar[b])[-most] if most < 20 else 0
            np.testing.assert_array_equal(out[b, place], np.where(similar[b] >= least, similar[b], 0) @ x)


@given(st.integers(0, 2**32 - 1))
def test_items_that_are_not_scored_count_as_zeros(seed):
    rng = np.random.default_rng(seed)
    raw = rng.normal(size=(2, 1, 5)).astype(np.float32)
    place = np.array([0, 2, 3, 6, 7])
    whole = np.zeros((2, 8), np.float32)
    whole[:, place] = raw[:, 0]
    out = np.full((2, 8, 3), 7, np.float32)
    standardize(raw, place, np.array([1]), out)
    expected = (whole - whole.mean(1, keepdims=True)) / whole.std(1, keepdims=True)
    assert out[:, :, 1] == pytest.approx(expected, abs=1e-5)
    assert (out[:, :, [0, 2]] == 7).all()  # those of other forms


def test_equal_values_become_zeros():
    out = np.full((1, 4, 1), 7, np.float32)
    standardize(np.full((1, 1, 4), 3, np.float32), np.arange(4), np.array([0]), out)
    assert not out.any()
