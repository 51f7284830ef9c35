import numpy as np

from igmc.estimates.lanes import from_lanes, to_lanes


def test_draws_go_into_lanes_and_come_back():
    draws = np.random.default_rng(0).normal(size=(11, 3, 2)).astype(np.float32)
    found = to_lanes(draws, np.full((3, 2), 7.0))
    assert found.shape == (2, 3, 2, 8)
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found[1, :, :, 2], draws[10])
    assert np.all(found[1, :, :, 3:] == 7)
    np.testing.assert_array_equal(from_lanes(found, 11), draws)


def test_arrays_without_rows_keep_their_shape():
    none = np.zeros((11, 0, 5), np.float32)
    assert from_lanes(to_lanes(none), 11).shape == none.shape
