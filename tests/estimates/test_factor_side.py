import numpy as np
import pytest

from igmc.errors import DataError
from tests.estimates.planted import fitted, planted_ratings

USER, ITEM, RATING = planted_ratings()


def test_a_row_is_found_in_the_fit_in_the_patch_or_nowhere():
    side = fitted(draws=2).fold_in(np.int32([95, 7, 7]), np.int32([1, 2, 3]), [3.0, 4.0, 5.0]).users
    assert side.nodes.tolist() == [7, 95]
    assert side.locate(np.int32([6, 7, 95, 90, 1000])).tolist() == [6, 91, 92, 90, 90]


def test_an_index_below_0_is_refused():
    with pytest.raises(DataError, match="an index is below 0; got -1"):
        fitted(draws=2).users.locate(np.int32([0, -1]))


def test_a_patch_takes_the_place_of_an_older_one_and_leaves_others():
    first = fitted(draws=2).fold_in(np.int32([95, 7]), np.int32([1, 2]), [3.0, 4.0])
    second = first.fold_in(np.int32([95, 95, 93]), np.int32([1, 2, 3]), [1.0, 1.0, 5.0])
    assert second.users.nodes.tolist() == [7, 93, 95]
    at, before = second.users.locate(np.int32([7]))[0] - 90, first.users.locate(np.int32([7]))[0] - 90
    for name in ("variances", "loadings"):
        new, old = getattr(second.users.patch, name), getattr(first.users.patch, name)
        np.testing.assert_array_equal(new[at], old[before])
    assert second.users.patch.vectors.flags.c_contiguous
    np.testing.assert_array_equal(second.users.patch.vectors[:, at], first.users.patch.vectors[:, before])
    pair = np.int32([95]), np.int32([30])
    assert second.features(*pair)[0] < first.features(*pair)[0]


def test_who_shows_fewer_ratings_than_the_fit_knew_is_taken_for_a_newcomer():
    estimates = fitted()
    mine = np.flatnonzero(USER == 8)[:3]
    as_known = estimates.fold_in(USER[mine], ITEM[mine], RATING[mine])
    as_new = estimates.fold_in(np.int32([95] * 3), ITEM[mine], RATING[mine])
    items = np.arange(60, dtype=np.int32)
    for one, other in zip(
        as_known.features(np.full(60, 8), items), as_new.features(np.full(60, 95), items), strict=True
    ):
        np.testing.assert_array_equal(one, other)
