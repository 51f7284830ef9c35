"""Protocols by name: with their settings, from text and back, and giving the splits that they gave before."""

import json

import pytest

from igmc.errors import ConfigError
from igmc.evaluation.protocols.registry import PROTOCOLS, make_protocol
from igmc.ratings.load import load_dataset


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_is_plain_json_and_can_be_made_again(name):
    protocol = make_protocol(name.upper().replace("_", "-"), {"min_rating": 2, "refit": False})
    stored = json.loads(json.dumps(protocol.record()))
    assert make_protocol(stored["name"], stored["settings"]) == protocol
    assert make_protocol(protocol.label) == protocol
    assert stored["kind"] in ("rating", "ranking", "both")
    assert stored["refit"] is False
    assert stored["settings"]["min_rating"] == 2.0


def test_settings_in_the_name_give_way_to_settings():
    assert make_protocol("random_80_20:test_ratio=0.3,min_rating=3").to_dict() == {
        **make_protocol("random_80_20").to_dict(),
        "test_ratio": 0.3,
        "min_rating": 3.0,
    }
    assert make_protocol("official:split=u1", {"split": "u2"}).split == "u2"


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("random_80_20", "9ed4d4556e9eb449"),
        ("stratified_75_25", "cc55797249915c4f"),
        ("random_8_1_1", "b341e9923018fa86"),
        ("leave_last_out", "be2844a58e557211"),
        ("thinned", "7fcb7ff231860641"),
        ("unseen_users", "ed9dd579d453e686"),
        ("unseen_users:k=3,by=time,reveal=first", "d9892e91d22500bf"),
        ("unseen_items", "be4f065b22c84d89"),
        ("unseen_items:by=time", "39cb60e945165b0c"),
        ("unseen_both", "a89904206b599766"),
        ("idcf:queries=train,min_known=20", "2d19809409863d42"),
        ("hire", "b8dda81eb0785669"),
    ],
)
def test_splits_are_those_under_which_results_have_been_stored(name, digest):
    assert make_protocol(name).draw(load_dataset("demo"), 1).digest()[:16] == digest


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
