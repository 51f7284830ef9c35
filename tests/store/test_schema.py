"""Subgraphs as narrow columns: nothing is lost, and what does not fit together is refused by name."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.errors import StoreError
from igmc.store.schema import COLUMNS, DIGEST, check_columns, encode, pointers
from tests.graph.any_graph import extract_configs, graphs
from tests.store.small_stores import CONFIG, GRAPH, pairs_of, subgraphs_of

FIELDS = {
    "pair/user": "user",
    "pair/item": "item",
    "user/id": "user_id",
    "user/label": "user_label",
    "user/degree": "degree",
    "item/id": "item_id",
    "item/label": "item_label",
    "edge/item": "edge_item",
    "edge/level": "edge_level",
}


@pytest.fixture
def columns():
    """Columns of a shard, in which all fits."""
    pairs = pairs_of(GRAPH)
    made = encode(subgraphs_of(GRAPH, pairs, CONFIG), pairs.rating)
    return made | {DIGEST: np.zeros((len(pairs), 16), np.uint8)}


@given(graph=graphs, config=extract_configs, limit=st.integers(0, 40))
def test_columns_hold_the_values_and_pointers_of_the_subgraphs(graph, config, limit):
    pairs = pairs_of(graph, limit)
    subgraphs = subgraphs_of(graph, pairs, config)
    made = encode(subgraphs, pairs.rating)
    assert set(made) == set(COLUMNS) - {DIGEST}
    for name, field in FIELDS.items():
        np.testing.assert_array_equal(made[name], getattr(subgraphs, field), err_msg=name)
    np.testing.assert_array_equal(made["pair/rating"], pairs.rating)
    for side, ptr in pointers(made).items():
        assert ptr.dtype == np.int64
        np.testing.assert_array_equal(ptr, getattr(subgraphs, f"{side}_ptr"))
    check_columns(made | {DIGEST: np.zeros((len(pairs), 16), np.uint8)}, len(pairs))


@pytest.mark.parametrize(
    ("largest", "kind"), [(0, "<u1"), (255, "<u1"), (256, "<u2"), (65_535, "<u2"), (65_536, "<u4")]
)
def test_ids_take_the_narrowest_type_that_holds_the_largest(largest, kind):
    pairs = pairs_of(GRAPH, 3)
    subgraphs = subgraphs_of(GRAPH, pairs, CONFIG)
    ids = np.zeros_like(subgraphs.user_id)
    ids[-1] = largest
    made = encode(replace(subgraphs, user_id=ids), pairs.rating)
    assert made["user/id"].dtype == np.dtype(kind)
    assert made["user/id"][-1] == largest


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "user/id",
            lambda a: a.astype(np.int64),
            "user/id has the wrong type; got 'i8'; allowed: u1, u2, u4",
        ),
        ("pair/user", lambda a: a.astype(np.uint32), "pair/user has the wrong type; got 'u4'; allowed: i4"),
        (
            "pair/rating",
            lambda a: a.astype(np.float64),
            "pair/rating has the wrong type; got 'f8'; allowed: f4",
        ),
        ("edge/level", lambda a: a.astype(np.uint16), "edge/level has the wrong type; got 'u2'; allowed: u1"),
        (
            "edge/item",
            lambda a: a[:-1],
            r"column edge/item has the wrong shape; got \(\d+,\); allowed: \(\d+,\)",
        ),
        ("pair/item", lambda a: np.tile(a, 2), r"column pair/item has the wrong shape; got \(240,\); .*120"),
        ("pair/users", lambda a: a + a.dtype.type(1), "column user/id has the wrong shape"),
        (
            DIGEST,
            lambda a: a[:, :8],
            r"column pair/digest has the wrong shape; got \(120, 8\); .*\(120, 16\)",
        ),
        ("item/label", lambda a: a[:, None], "column item/label has the wrong shape"),
    ],
)
def test_columns_that_do_not_fit_are_named(columns, name, change, message):
    check_columns(columns, 120)
    with pytest.raises(StoreError, match=message):
        check_columns(columns | {name: change(columns[name])}, 120)


def test_columns_of_another_number_of_pairs(columns):
    with pytest.raises(
        StoreError, match=r"column pair/user has the wrong shape; got \(120,\); allowed: \(121,\)"
    ):
        check_columns(columns, 121)
