"""Ids as they stand in a file."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.ratings.raw_ratings import Vocabulary, natural_ids


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


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_numbers_come_back_as_they_were(numbers):
    assert natural_ids([str(number) for number in numbers]) == numbers


@given(st.lists(st.one_of(st.text(max_size=4), st.from_regex(r"-?0?[0-9]{1,3}", fullmatch=True))))
def test_every_id_is_written_as_it_stood_in_the_file(names):
    assert [str(raw) for raw in natural_ids(names)] == names


TEXTS = st.lists(st.sampled_from(["b", "a", "", "A", "é", "1"]))


@given(TEXTS, TEXTS)
def test_codes_count_texts_in_the_order_in_which_they_are_met(first, second):
    at_once, one_by_one = Vocabulary(), Vocabulary()
    codes = [*at_once.add_all(np.array(first, object)), *at_once.add_all(np.array(second, object))]
    assert codes == [one_by_one.add(text) for text in first + second]
    names = list(at_once.codes)
    assert [names[code] for code in codes] == first + second
    assert names == list(dict.fromkeys(first + second))
    assert list(at_once.codes.values()) == list(range(len(names)))


def test_blanks_around_are_cut_off_and_counted():
    found = Vocabulary()
    assert found.add_all(np.array(["a", " a", "a ", "b", "\u00a0b"], object)).tolist() == [0, 0, 0, 1, 1]
    assert (found.trimmed, found.add(" c")) == (3, 2)
    assert (list(found.codes), found.trimmed) == (["a", "b", "c"], 4)


@pytest.mark.parametrize(
    ("texts", "ids", "floats"),
    [
        (["1.0", "2.", "3", "1"], [1, 2, 3, 1], 2),
        (["1", "2"], [1, 2], 0),
        (["1.0", "x"], ["1.0", "x"], 0),
        (["1.0", "1.5"], ["1.0", "1.5"], 0),
        (["1.0", "01.0"], ["1.0", "01.0"], 0),
        (["1e3"], ["1e3"], 0),
        (["99999999999999999999.0"], ["99999999999999999999.0"], 0),
    ],
)
def test_whole_numbers_written_as_floats(texts, ids, floats):
    found = Vocabulary()
    names, codes = found.ids(found.add_all(np.array(texts, object)))
    assert [names[code] for code in codes] == ids
    assert found.floats == floats
