"""Raw ids become dense indices as the table writes them; new ids follow on; near misses are told."""

import numpy as np
import pytest

from igmc.errors import DataError
from igmc.inference.id_encoding import ExtendedIds, from_text, near_ids, unknown_ids
from igmc.ratings.ids import IdTable


def test_text_is_taken_as_the_table_writes_it():
    assert from_text(IdTable((1, 2)), ["2", "3", "-4", "x", "02", ""]) == [2, 3, -4, "x", "02", ""]
    assert from_text(IdTable(("1", "x")), ["1", "2", "x"]) == ["1", "2", "x"]
    assert from_text(IdTable((1, "1", "x")), ["1", "2"]) == ["1", "2"]
    assert from_text(IdTable((1, "x")), ["1", "2"]) == [1, "2"]


def test_unknown_ids_stand_once_and_in_order():
    table = IdTable((3, "a"))
    assert unknown_ids(table, ["b", 9, "a", 3, "b", 1]) == [1, 9, "b"]
    assert unknown_ids(table, [3]) == []


def test_new_ids_follow_on_those_of_the_table():
    table = IdTable((3, "a"))
    ids = ExtendedIds.of(table, ["b", 3, 1, "b"])
    assert len(ids) == 4
    assert ids.encode(["b", 3, 1, "a", "never"]).tolist() == [3, 0, 2, 1, -1]
    assert ids.encode([np.int64(1), np.str_("b")]).tolist() == [2, 3]
    assert ids.encode([]).dtype == np.int32
    assert ids.merged().ids == (3, "a", 1, "b")
    assert ids.merged().encode(["b", 1]).tolist() == ids.encode(["b", 1]).tolist()


def test_a_table_without_new_ids_stays_the_same_object():
    table = IdTable((3, "a"))
    ids = ExtendedIds.of(table, ["a", 3])
    assert (len(ids), ids.new) == (2, {})
    assert ids.merged() is table
    assert ids.encode(["x", "a"]).tolist() == [-1, 1]


def test_what_is_no_id_is_refused():
    for wrong in (1.5, None, True):
        with pytest.raises(DataError, match="an id is neither an integer nor a string"):
            ExtendedIds.of(IdTable((1,)), [wrong])


def test_near_ids_are_found_in_large_tables_too():
    table = IdTable(tuple(f"user-{number:06}" for number in range(30_000)))
    assert near_ids(table, "USER-000123").startswith("did you mean 'user-000123'? ids")
    assert near_ids(table, "user-123").startswith("did you mean 'user-000123'? ids")
    assert near_ids(table, "user-999999") == "ids are such as 'user-000000'", (
        "no number is nearer than others"
    )
    assert near_ids(table, "usr-000123").startswith("did you mean 'user-000")
    assert near_ids(table, "zz") == "ids are such as 'user-000000'"
    for size, near in ((60, True), (61, False)):  # one that is longer takes too long to compare
        found = near_ids(IdTable(("x" * size,)), "x" * (size - 1) + "y")
        assert found.startswith("did you mean") == near
    assert near_ids(IdTable(()), "x") == "there are none"
