"""Features hold what tables and vectors say, centred, and nothing where they say nothing."""

import numpy as np
import pandas as pd
import pytest

from igmc.errors import DataError
from igmc.ratings.side_information import SideEncoder, side_information

YEARS = pd.array([1990, None, 2010, 2000], "Int64")
ITEMS = pd.DataFrame({"title": ["A (1990)", "", "A", "C"], "year": YEARS, "genres": ["X|Y", "", "X", "X|Z"]})


def test_features_known_answer():
    found = SideEncoder.fit(ITEMS[["year", "genres"]]).encode(ITEMS, 4)
    assert found.block.tolist() == [0, 0, 0, 1]  # Y and Z say nothing that two items share
    third = 1 / 3
    expected = [
        [1 - third, -third, -third],
        [0, 0, 0],
        [-third, -third, 1 - third],
        [-third, 1 - third, -third],
    ]
    np.testing.assert_allclose(found.values[:, :3], expected, atol=1e-6)
    np.testing.assert_allclose(found.values[:, 3], 0)


def test_numbers_lie_between_knots():
    ages = pd.DataFrame({"age": pd.array(range(20, 71), "Int64")})
    encoder = SideEncoder.fit(ages)
    assert encoder.blocks[0]["knots"].tolist() == [20, 30, 40, 50, 60, 70]
    new = pd.DataFrame({"age": pd.array([33, 99], "Int64")})
    values = encoder.encode(new, 2).values + encoder.blocks[0]["center"]
    np.testing.assert_allclose(values, [[0, 0.7, 0.3, 0, 0, 0], [0, 0, 0, 0, 0, 1]], atol=1e-6)


def test_titles_are_told_apart_without_their_years():
    titles = pd.DataFrame({"title": ["Alien (1979)", "Alien (1986)", "Up (2009)", "Up Up"]})
    values = SideEncoder.fit(titles).encode(titles, 4).values
    np.testing.assert_allclose(values[0], values[1])
    assert np.linalg.norm(values[0] - values[2]) > 0.1


def test_vectors_are_scaled_centred_and_missing_where_they_are():
    vectors = np.array([[3.0, 4.0], [np.nan, np.nan], [0.0, 5.0]], np.float32)
    encoder = SideEncoder.fit(None, vectors)
    np.testing.assert_allclose(
        encoder.encode(None, 3, vectors).values, [[0.3, -0.1], [0, 0], [-0.3, 0.1]], atol=1e-6
    )
    assert not encoder.encode(None, 3).values.any()
    with pytest.raises(DataError, match="another width than in training; got 1; allowed: 2"):
        encoder.encode(None, 3, vectors[:, :1])


def test_new_rows_have_the_features_of_equal_old_ones():
    encoder = SideEncoder.fit(ITEMS)
    later = ITEMS.iloc[[2, 0]].reset_index(drop=True)
    np.testing.assert_array_equal(encoder.encode(later, 2).values, encoder.encode(ITEMS, 4).values[[2, 0]])
    of_years = encoder.encode(later[["year"]], 2).values
    assert not of_years[:, encoder.encode(ITEMS, 4).block > 0].any()


def test_a_data_set_of_which_nothing_is_known_is_refused():
    with pytest.raises(DataError, match="no side features"):
        side_information(None, pd.DataFrame({"title": ["", ""]}), 3, 2)
    found = side_information(None, ITEMS, 3, 4)
    assert found.users.values.shape == (3, 0)
    assert len(found.items.values) == 4
