"""What holds of every protocol: disjoint parts, reproducible, on a scale that knows no test rating."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.errors import DataError
from igmc.evaluation.protocols.base import known_times, placed
from igmc.evaluation.protocols.registry import PROTOCOLS, make_protocol
from igmc.ratings.scale import KnownScale
from tests.evaluation.datasets import make_dataset


def big(seed=0, **more):
    """Data that every protocol can divide."""
    rows = np.arange(len(make_dataset(seed, users=60, items=50, share=0.8).table))
    splits = {"a": (rows[200:], rows[:200])}
    return make_dataset(
        seed, users=60, items=50, share=0.8, **{"splits": splits, "hint": KnownScale(1, 5), **more}
    )


@pytest.mark.parametrize("name", PROTOCOLS)
def test_parts_are_disjoint_reproducible_and_drawn_from_the_seed(name):
    protocol, data = make_protocol(name), big(times="tied")
    one, again, other = protocol.draw(data, 5), protocol.draw(big(times="tied"), 5), protocol.draw(data, 6)
    rows = np.concatenate([one.train, one.validation, one.test, one.support])
    assert len(np.unique(rows)) == len(rows)
    assert min(len(one.train), len(one.validation), len(one.test)) > 0
    assert one.digest() == again.digest()
    assert [one.train.tolist(), one.test.tolist()] != [other.train.tolist(), other.test.tolist()]
    assert (one.name, one.seed) == (protocol.label, 5)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_scale_is_fitted_without_test_and_support(name):
    protocol = make_protocol(name)
    plain = big(hint=None)
    split = protocol.draw(plain, 2)
    values = plain.table.rating.copy()
    known = np.concatenate([split.train, split.validation])
    values[np.setdiff1d(np.arange(len(values)), known)] = 77.0
    poisoned = protocol.draw(big(hint=None, ratings=values), 2)
    assert poisoned.train.tolist() == split.train.tolist(), "what is drawn does not depend on the ratings"
    assert poisoned.scale.values.tolist() == np.unique(values[known]).tolist()
    assert 77.0 not in poisoned.scale.values
    assert len(protocol.draw(plain, 2).scale) == 5
    assert len(make_protocol(name, {"levels": 2}).draw(plain, 2).scale) == 2


def test_the_label_has_what_differs_from_the_defaults_and_the_record_all():
    protocol = make_protocol("random_80_20", {"min_rating": 3, "refit": True})
    assert make_protocol("random_80_20").label == "random_80_20"
    assert make_protocol("official:split=u1").label == "official:split=u1"
    assert protocol.label == "random_80_20:min_rating=3.0"
    assert json.loads(json.dumps(protocol.record())) == {
        "name": "random_80_20",
        "description": "20% of all ratings, drawn at random",
        "kind": "both",
        "refit": True,
        "settings": {
            "min_rating": 3.0,
            "min_user_ratings": 0,
            "refit": True,
            "levels": None,
            "level_method": "width",
            "test_ratio": 0.2,
            "validation_ratio": 0.1,
        },
    }


@given(st.lists(st.integers(0, 5), max_size=40))
def test_each_row_has_its_place_in_its_group(groups):
    place, size = placed(np.array(groups, np.int32))
    assert place.tolist() == [groups[:at].count(group) for at, group in enumerate(groups)]
    assert size.tolist() == [groups.count(group) for group in groups]


def test_times_are_known_of_all_rows_or_refused():
    data = make_dataset(times="unknown")  # of every third row
    rows = np.flatnonzero(np.arange(len(data.table)) % 3)
    assert known_times(data, rows, "it").tolist() == (1 + rows).tolist()
    with pytest.raises(DataError, match=r"it needs the time of every rating; got '1 of \d+ ratings"):
        known_times(data, np.append(rows, 0), "it")


def test_nothing_left_to_divide():
    with pytest.raises(DataError, match=r"no rating of random is left.*min_rating 9.0.*lower min_rating"):
        make_protocol("random_80_20:min_rating=9").draw(make_dataset(), 1)
    with pytest.raises(DataError, match=r"random_80_20:test_ratio=0\.0 leaves no test ratings of random"):
        make_protocol("random_80_20:test_ratio=0").draw(make_dataset(), 1)


@given(st.integers(0, 2**32 - 1))
def test_any_seed_will_do(seed):
    split = make_protocol("random_80_20").draw(make_dataset(), seed)
    assert split.seed == seed


def test_too_many_values_are_grouped_by_a_setting():
    data = make_dataset(ratings=np.sqrt(np.arange(1600)), users=40, items=40, share=0.9)
    assert make_protocol("random_80_20").draw(data, 1).scale.continuous
    by = {
        m: make_protocol("random_80_20", {"levels": 4, "level_method": m}).draw(data, 1)
        for m in ("width", "quantile")
    }
    assert len(by["width"].scale) == len(by["quantile"].scale) == 4
    assert by["width"].scale.edges.tolist() != by["quantile"].scale.edges.tolist()
