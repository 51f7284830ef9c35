"""Every knob is checked, survives JSON, and counts in the digest."""

import dataclasses
import typing

import pytest

from igmc.config import (
    DataConfig,
    ExtractConfig,
    ModelConfig,
    RunConfig,
    TrainConfig,
)
from igmc.errors import ConfigError

SECTIONS = (DataConfig, ExtractConfig, ModelConfig, TrainConfig)
KNOBS = [(cls, f) for cls in (*SECTIONS, RunConfig) for f in dataclasses.fields(cls) if "help" in f.metadata]


def other_value(field: dataclasses.Field, hint: object) -> object:
    """An allowed value that is not the default."""
    if field.metadata["choices"]:
        return next(choice for choice in field.metadata["choices"] if choice != field.default)
    types = [hint, *typing.get_args(hint)]
    if bool in types:
        return not field.default
    if typing.get_origin(hint) is tuple:
        return (8, 8)
    if int in types:
        return (field.default or 1) + 1
    if float in types:
        return 0.5 if field.default != 0.5 else 0.25
    return "else"


@pytest.mark.parametrize(("cls", "field"), KNOBS, ids=lambda value: getattr(value, "name", None))
def test_every_knob_counts_in_the_digest_and_survives_json(cls, field):
    hint = typing.get_type_hints(cls)[field.name]
    changed = cls().replace(**{field.name: other_value(field, hint)})
    is_permission = field.name == "allow_changed"  # it changes no result
    assert (changed.digest() == cls().digest()) is is_permission
    assert cls.from_dict(changed.to_dict()) == changed


@pytest.mark.parametrize(("cls", "field"), KNOBS, ids=lambda value: getattr(value, "name", None))
def test_every_knob_says_what_it_means_and_its_default_is_allowed(cls, field):
    assert len(field.metadata["help"]) > 10
    cls(**{field.name: field.default})


@pytest.mark.parametrize(("cls", "field"), KNOBS, ids=lambda value: getattr(value, "name", None))
def test_every_bound_is_inclusive_and_holds(cls, field):
    tuple_valued = isinstance(field.default, tuple)
    for bound, outside in (("low", -1), ("high", 1)):
        edge = field.metadata[bound]
        if edge is None:
            continue
        inside = (edge,) if tuple_valued else edge
        cls(**{field.name: inside})
        beyond = edge + outside if isinstance(edge, int) else edge + outside * max(abs(edge), 1.0)
        with pytest.raises(ConfigError, match=rf"{cls.__name__}\.{field.name} is out of range.*allowed: "):
            cls(**{field.name: (beyond,) if tuple_valued else beyond})


def test_knob_names_are_unique_over_the_sections_since_options_carry_no_section():
    names = [field.name for _, field in KNOBS]
    assert len(names) == len(set(names))


def test_no_knob_has_the_former_name_of_another():
    former = [field.metadata["former"].name for _, field in KNOBS if field.metadata["former"]]
    assert former
    assert not set(former) & {field.name for _, field in KNOBS}
    for _, field in KNOBS:
        if field.metadata["former"] and field.metadata["choices"]:
            assert set(field.metadata["former"].values) <= set(field.metadata["choices"])
