"""Ids as they stand in a file."""

import pytest

from igmc.ratings.readers.raw_ratings import natural_ids


@pytest.mark.parametrize(
    ("texts", "ids"),
    [
        (["1", "-20", "0"], [1, -20, 0]),
        (["1", "01"], ["1", "01"]),
        (["1", "+2"], ["1", "+2"]),
        (["1", "-0"], ["1", "-0"]),
        (["1", "2.0"], ["1", "2.0"]),
        (["1", " 2"], ["1", " 2"]),
        (["1", "\u0665"], ["1", "\u0665"]),
        (["9223372036854775807", "-9223372036854775808"], [2**63 - 1, -(2**63)]),
        (["1", "9223372036854775808"], ["1", "9223372036854775808"]),
    ],
)
def test_a_column_is_of_numbers_only_if_every_value_is_one(texts, ids):
    assert natural_ids(texts) == ids
