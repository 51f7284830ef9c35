"""Annotations say what a function takes, and something else is refused by name."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from igmc.argument_types import checked_types
from igmc.errors import ConfigError


class Thing:
    """A class of its own."""


@checked_types
def taken(
    text: "str" = "",
    where: "str | Path | None" = None,
    count: "int" = 1,
    share: "float" = 0.5,
    flag: "bool" = False,
    several: "int | Sequence[int]" = (1,),
    settings: "Thing | Mapping[str, Any] | None" = None,
    seed: "int" = 1,
    given: "DataLike | str" = None,  # noqa: F821
    **more: "Any",
) -> "dict":
    """Give back what was given."""
    return locals()


class Derived(Thing):
    """A class below it."""


@pytest.mark.parametrize(
    "arguments",
    [
        {"where": None},
        {"where": Path("x")},
        {"count": np.int32(3)},
        {"share": 1},
        {"share": np.float32(0.5)},
        {"flag": np.True_},
        {"several": 3},
        {"several": [1, 2]},
        {"several": range(2)},
        {"settings": Derived()},
        {"settings": {"a": 1}},
        {"given": 3},  # the function says what it takes
        {"other": object()},
    ],
)
def test_what_an_annotation_allows_is_handed_on(arguments):
    found = taken(**arguments)
    ((name, value),) = arguments.items()
    assert {**found, **found["more"]}[name] is value


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"text": 5}, "taken: text has the wrong type; got 5; allowed: a text$"),
        ({"text": None}, "text has the wrong type; got 'None'; allowed: a text"),
        ({"where": 5}, "got 5; allowed: a text or a path or None"),
        ({"count": True}, "count has the wrong type; got True; allowed: a whole number"),
        ({"count": 2.0}, "got 2.0; allowed: a whole number"),
        ({"share": False}, "got False; allowed: a number"),
        ({"flag": 1}, "got 1; allowed: true or false"),
        ({"several": [1, "x"]}, r"got \[1, 'x'\]; allowed: a whole number or a list, each a whole number"),
        ({"several": "12"}, "several has the wrong type; got '12'"),
        ({"settings": 3}, "got 3; allowed: a Thing or a mapping or None"),
        ({"seed": -1}, "seed is out of range; got -1; allowed: 0 or more"),
    ],
)
def test_something_else_is_refused_by_name(arguments, message):
    with pytest.raises(ConfigError, match=message):
        taken(**arguments)


def test_places_count_as_names_do_and_a_method_is_named_with_its_class():
    with pytest.raises(ConfigError, match="where has the wrong type; got 7"):
        taken("x", 7)

    class Model:
        @checked_types
        def __init__(self, size: "int") -> None:
            self.size = size

    assert Model(3).size == 3
    with pytest.raises(ConfigError, match=r"Model: size has the wrong type"):
        Model("3")
