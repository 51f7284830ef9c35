"""Search spaces: what is written on a command line, and what a model may have."""

import json

import pytest

from igmc.errors import ConfigError
from igmc.recommenders.igmc import IGMCConfig
from igmc.recommenders.knn.knn_recommender import KNNConfig
from igmc.recommenders.means import MeanConfig
from igmc.recommenders.registry import RECOMMENDERS, make_recommender, recommender_class
from igmc.recommenders.search_space import (
    OneOf,
    Range,
    checked_space,
    parse_space,
    setting_names,
    with_settings,
)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("a=1:9", Range(1, 9)),
        ("a = 0.5 : 2", Range(0.5, 2)),
        ("a=1e-3:1:log", Range(1e-3, 1, log=True)),
        ("a=4,8,null", OneOf((4, 8, None))),
        ("a=cosine,pearson", OneOf(("cosine", "pearson"))),
        ("a=cosine,null", OneOf(("cosine", None))),
        ("a=[8,8],[16]", OneOf(([8, 8], [16]))),
        ("a=true", OneOf((True,))),
    ],
)
def test_what_is_typed(text, choice):
    assert parse_space(text) == ("a", choice)


@pytest.mark.parametrize("text", ["a", "a=", "=1:2", "a=1:2:3", "a=1:two", "a=1:2:log:3"])
def test_what_cannot_be_read(text):
    with pytest.raises(ConfigError, match=r"cannot read the search space; got .*low:high:log"):
        parse_space(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a=2:1", "a range is empty"),
        ("a=1:1", "a range is empty"),
        ("a=0:inf", "a range is empty"),
        ("a=0:1:log", "a logarithmic range must be above 0; got 0"),
    ],
)
def test_ranges_that_are_none(text, message):
    with pytest.raises(ConfigError, match=message):
        parse_space(text)


def test_whole_numbers_are_those_given_as_such():
    assert Range(1, 3).whole
    assert not Range(1.0, 3).whole
    assert [Range(1, 3).holds(value) for value in (1, 3, 4, 2.5, None, True)] == [True, True] + [False] * 4
    assert Range(1.0, 3.0).holds(2)
    assert str(Range(1, 300, log=True)) == "1:300:log"
    assert str(OneOf(("a", None, [1]))) == '"a",null,[1]'


def test_a_copy_with_settings_changed_in_sections():
    config = with_settings(IGMCConfig(), {"train.epochs": 3, "model.layers": [8]})
    assert (config.train.epochs, config.model.layers, config.train.arr) == (3, (8,), 0.001)
    assert "model.layers" in setting_names(IGMCConfig)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"neighbors": Range(1, 2)}, "m has no setting of this name to search; got 'neighbors'.* neighbours"),
        (
            {"neighbours": Range(0, 2)},
            "m does not accept this value of neighbours; got 0; allowed: at least 1",
        ),
        ({"neighbours": Range(1.0, 2.5)}, "m does not accept this value of neighbours; got 1.0"),
        ({"similarity": OneOf(("cosine", "dice"))}, "m does not accept this value of similarity; got 'dice'"),
    ],
)
def test_a_space_holds_what_the_model_may_have(space, message):
    with pytest.raises(ConfigError, match=message):
        checked_space("m", KNNConfig(), space)


def test_a_model_without_settings_says_so():
    with pytest.raises(ConfigError, match=r"global_mean has no settings to tune"):
        checked_space("global_mean", make_recommender("global_mean").config, {})
    assert checked_space("item_mean", MeanConfig(), {"damping": Range(0.0, 1.0)})


def objectives(name):
    return (
        ["rating", "ranking"]
        if "objective" in setting_names(recommender_class(name).config_class)
        else [None]
    )


@pytest.mark.parametrize(
    ("name", "objective"), [(name, one) for name in RECOMMENDERS for one in objectives(name)]
)
def test_every_model_with_settings_says_what_is_worth_searching(name, objective):
    given = {"objective": objective} if objective else {}
    given |= {"half_life": 30.0} if name == "popularity" else {}  # without it, times need not be known
    model = make_recommender(name, given)
    space = model.search_space()
    if not setting_names(model.config_class):
        assert space == {}
        return
    assert space
    assert checked_space(name, model.config, space) == space
    for choice in space.values():
        json.dumps(choice.ends)
