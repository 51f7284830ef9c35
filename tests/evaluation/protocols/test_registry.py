"""Protocols by name, and what holds of every one of them."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.errors import ConfigError, DataError
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
    one, again, other = protocol.split(data, 5), protocol.split(big(times="tied"), 5), protocol.split(data, 6)
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
    split = protocol.split(plain, 2)
    values = plain.table.rating.copy()
    known = np.concatenate([split.train, split.validation])
    values[np.setdiff1d(np.arange(len(values)), known)] = 77.0
    poisoned = protocol.split(big(hint=None, ratings=values), 2)
    assert poisoned.train.tolist() == split.train.tolist(), "what is drawn does not depend on the ratings"
    assert poisoned.scale.values.tolist() == np.unique(values[known]).tolist()
    assert 77.0 not in poisoned.scale.values
    assert len(protocol.split(plain, 2).scale) == 5
    assert len(make_protocol(name, {"levels": 2}).split(plain, 2).scale) == 2


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_is_plain_json_and_can_be_made_again(name):
    protocol = make_protocol(name.upper().replace("_", "-"), {"min_rating": 2, "refit": False})
    stored = json.loads(json.dumps(protocol.to_dict()))
    assert make_protocol(stored["name"], stored["settings"]) == protocol
    assert make_protocol(protocol.label) == protocol
    assert stored["kind"] in ("rating", "ranking", "both")
    assert stored["refit"] is False
    assert stored["settings"]["min_rating"] == 2.0
    assert "{" not in stored["description"]


def test_settings_in_the_name_give_way_to_settings():
    assert make_protocol("random_80_20:test_ratio=0.3,min_rating=3").settings.to_dict() | {} == {
        **make_protocol("random_80_20").settings.to_dict(),
        "test_ratio": 0.3,
        "min_rating": 3.0,
    }
    assert make_protocol("official:split=u1", {"split": "u2"}).settings.split == "u2"
    assert make_protocol("official:split=u1").label == "official:split=u1"
    assert make_protocol("random_80_20").label == "random_80_20"
    assert "30%" in make_protocol("random_80_20:test_ratio=0.3").description


@pytest.mark.parametrize(
    ("name", "settings", "match"),
    [
        ("random_80_21", None, r"unknown protocol; got 'random_80_21'.*did you mean random_80_20"),
        ("nonsense", None, "unknown protocol; got 'nonsense'; allowed: official, random_80_20"),
        ("random_80_20", {"k": 3}, "unknown setting in RandomEdges; got 'k'; allowed: min_rating"),
        ("random_80_20", {"test_ratio": 2}, "RandomEdges.test_ratio is out of range; got 2"),
        (
            "random_80_20:test_ratio",
            None,
            "cannot read the settings of a protocol; got 'random_80_20:test_ratio'; allowed: NAME:s",
        ),
        ("random_80_20:=3", None, "cannot read the settings"),
        (
            "random_80_20",
            {"min_rating": "3"},
            "min_rating has the wrong type; got '3'; allowed: number or nothing",
        ),
    ],
)
def test_what_is_no_protocol(name, settings, match):
    with pytest.raises(ConfigError, match=match):
        make_protocol(name, settings)


@given(st.integers(0, 2**32 - 1))
def test_any_seed_will_do(seed):
    split = make_protocol("random_80_20").split(make_dataset(), seed)
    assert split.seed == seed


def test_too_many_values_are_grouped_by_a_setting():
    data = make_dataset(ratings=np.sqrt(np.arange(1600)), users=40, items=40, share=0.9)
    with pytest.raises(DataError, match="too many distinct values"):
        make_protocol("random_80_20").split(data, 1)
    by = {
        m: make_protocol("random_80_20", {"levels": 4, "level_method": m}).split(data, 1)
        for m in ("width", "quantile")
    }
    assert len(by["width"].scale) == len(by["quantile"].scale) == 4
    assert by["width"].scale.edges.tolist() != by["quantile"].scale.edges.tolist()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("unseen_users:k=2,by=time", "unseen users (by time), except 2 ratings that each reveals"),
        ("unseen_items:percent=10", "except 10 % of those that each reveals"),
        ("idcf", "fewer than 30 training ratings, which are known at test time only"),
        ("idcf:queries=train", "which are trained on"),
        ("hire", "the ratings of cold users for known items, except 10 %"),
        ("hire:cold=item", "the ratings of known users for cold items"),
        ("hire:cold=both", "the ratings of cold users for cold items"),
        ("thinned:keep_ratio=0.001", "with 0.001 of its training ratings kept"),
    ],
)
def test_the_description_follows_the_settings(name, words):
    assert words in make_protocol(name).description
