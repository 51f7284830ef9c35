import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.errors import DataError
from igmc.ratings.ids import IdTable

RAW = st.lists(
    st.one_of(st.integers(-5, 5), st.sampled_from(["1", "01", "-1", "", " 1", "x", "é", "\ud800"]))
)


@given(RAW)
def test_ids_come_back_as_given(raw):
    table, codes = IdTable.build(raw)
    assert codes.dtype == np.int32
    back = table.decode(codes)
    assert [(type(r), r) for r in back] == [(type(r), r) for r in raw]
    assert table.encode(raw).tolist() == codes.tolist()
    assert IdTable.from_json(table.to_json()) == table


@given(RAW)
def test_order_of_the_values_does_not_matter(raw):
    assert IdTable.build(raw)[0] == IdTable.build(raw[::-1])[0]


def test_numbers_and_texts_are_kept_apart():
    table, codes = IdTable.build(["1", 1, "01", np.int64(1)])
    assert table.ids == (1, "01", "1")
    assert codes.tolist() == [2, 0, 1, 0]
    assert table.encode([2, "001", 1], missing=-7).tolist() == [-7, -7, 0]


def test_arrays_of_numbers_give_the_same_as_lists():
    values = [30, 10, 20, 10, 2**40]
    table, codes = IdTable.build(np.array(values))
    expected, expected_codes = IdTable.build(values)
    assert table == expected
    assert codes.tolist() == expected_codes.tolist()
    assert table.encode(np.array([10, 11])).tolist() == table.encode([10, 11]).tolist() == [0, -1]
    assert table.encode(pd.Series([20, 30])).tolist() == [1, 2]
    assert all(type(raw) is int for raw in table.ids)


def test_whole_numbers_beyond_64_bits():
    big = 10**30
    table, codes = IdTable.build([big, 1])
    assert table.decode(codes) == [big, 1]


def test_categories_that_no_code_names_are_left_out():
    table, codes = IdTable.from_categories([3, 0, 3], ["b", "unused", 5, "a"])
    assert table.ids == ("a", "b")
    assert codes.tolist() == [0, 1, 0]


@pytest.mark.parametrize("bad", [1.0, True, None, float("nan"), b"1", np.float32(2)])
def test_other_types_are_refused(bad):
    table = IdTable((1, 2))
    for use in (lambda: IdTable.build([1, bad]), lambda: table.encode([bad]), lambda: IdTable((bad,))):
        with pytest.raises(DataError, match=r"neither an integer nor a string.*allowed: int or str"):
            use()


def test_an_id_twice_is_refused():
    with pytest.raises(DataError, match="occurs twice in an id table; got 'a'"):
        IdTable(("a", "b", "a"))


@pytest.mark.parametrize("bad", [-1, 2])
def test_index_out_of_range(bad):
    with pytest.raises(DataError, match=rf"index is out of range; got {bad}; allowed: 0\.\.1"):
        IdTable((1, 2)).decode([0, bad])


def test_digest_tells_types_and_order_apart():
    tables = [IdTable(ids) for ids in [(1, 2), (2, 1), ("1", "2"), (1, "2"), ("1,2",), ()]]
    assert len({table.digest() for table in tables}) == len(tables)
