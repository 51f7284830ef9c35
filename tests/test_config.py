"""Every knob is checked, survives JSON, and counts in the digest."""

import dataclasses
import math
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.config import (
    PRESETS,
    Config,
    DataConfig,
    ExtractConfig,
    ModelConfig,
    RunConfig,
    TrainConfig,
    preset_settings,
)
from igmc.errors import ConfigError

SECTIONS = (DataConfig, ExtractConfig, ModelConfig, TrainConfig)
KNOBS = [(cls, f) for cls in (*SECTIONS, RunConfig) for f in dataclasses.fields(cls) if "help" in f.metadata]


def other_value(field: dataclasses.Field, hint: object) -> object:
    """An allowed value that is not the default."""
    if field.metadata["choices"]:
        return field.metadata["choices"][field.metadata["choices"][0] == field.default]
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
    assert changed.digest() != cls().digest()
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


@given(st.sampled_from([DataConfig, ExtractConfig, ModelConfig, TrainConfig]), st.data())
def test_any_json_value_is_taken_or_refused_with_a_config_error(cls, data):
    name = data.draw(st.sampled_from([f.name for f in dataclasses.fields(cls)]))
    scalar = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    value = data.draw(scalar | st.lists(scalar, max_size=3))
    try:
        config = cls.from_dict({name: value})
    except ConfigError as error:
        refusal = str(error)
    else:
        refusal = name
        assert cls.from_dict(config.to_dict()) == config
    assert name in refusal


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(value):
    with pytest.raises(ConfigError, match=r"TrainConfig\.arr is out of range"):
        TrainConfig(arr=value)


@pytest.mark.parametrize(
    ("cls", "values", "message"),
    [
        (TrainConfig, {"epochs": "3"}, "epochs has the wrong type; got '3'; allowed: whole number"),
        (TrainConfig, {"epochs": True}, "epochs has the wrong type; got True; allowed: whole number"),
        (TrainConfig, {"epochs": 2.5}, r"epochs has the wrong type; got 2\.5"),
        (ExtractConfig, {"max_nodes_per_hop": "x"}, "allowed: whole number or nothing"),
        (
            ModelConfig,
            {"layers": ()},
            r"layers has the wrong type; got \(\); allowed: one or more whole numbers",
        ),
        (ModelConfig, {"layers": [32, "a"]}, "layers has the wrong type"),
        (ModelConfig, {"norm": "sum"}, "norm is not known; got 'sum'; allowed: none, relation, degree"),
        (RunConfig, {"seed": -1}, "seed is out of range; got -1; allowed: at least 0 and at most 4294967295"),
    ],
)
def test_messages(cls, values, message):
    with pytest.raises(ConfigError, match=message):
        cls.from_dict(values)


def test_unknown_keys_are_refused_at_both_depths():
    with pytest.raises(
        ConfigError, match="unknown setting in RunConfig; got 'epochs'; allowed: network, data, extract"
    ):
        RunConfig.from_dict({"epochs": 3})
    with pytest.raises(ConfigError, match=r"to mend it: give it as train\.epochs"):
        RunConfig.from_dict({"epochs": 3})
    with pytest.raises(ConfigError, match="to mend it: remove it"):
        RunConfig.from_dict({"epoch": 3})
    with pytest.raises(ConfigError, match="unknown setting in TrainConfig; got 'epoch'; allowed: selection"):
        RunConfig.from_dict({"train": {"epoch": 3}})
    with pytest.raises(ConfigError, match="TrainConfig is not a mapping; got 3"):
        RunConfig.from_dict({"train": 3})


def test_replace_checks_again_and_leaves_the_original():
    config = TrainConfig()
    assert config.replace(epochs=3).epochs == 3
    assert config.epochs == 40
    with pytest.raises(ConfigError, match="at least 1"):
        config.replace(epochs=0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.epochs = 3


def test_knob_names_are_unique_over_the_sections_since_options_carry_no_section():
    names = [field.name for _, field in KNOBS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("dataset", PRESETS)
def test_every_preset_is_a_valid_partial_configuration(dataset):
    settings = preset_settings(dataset)
    config = RunConfig.from_dict(settings)
    assert config != RunConfig()
    settings["train"] = {"epochs": 1}
    assert RunConfig.from_dict(preset_settings(dataset)) == config, "the caller's copy is its own"


def test_the_papers_settings():
    ml_1m = RunConfig.from_dict(preset_settings("ml_1m"))
    assert (ml_1m.extract.max_nodes_per_hop, ml_1m.model.edge_dropout) == (100, 0.0)
    assert ml_1m.model.init == "uniform"
    assert (ml_1m.train.epochs, ml_1m.train.decay_every, ml_1m.train.ensemble_every) == (40, 20, 5)
    ml_100k = RunConfig.from_dict(preset_settings("ml_100k"))
    assert (ml_100k.extract.max_nodes_per_hop, ml_100k.train.epochs, ml_100k.train.decay_every) == (
        200,
        80,
        50,
    )
    assert preset_settings("flixster") == {}
    assert RunConfig().train.epochs == 40


@pytest.mark.parametrize(
    ("settings", "digest"),
    [
        ({}, "e853e89bbeae365b"),
        (
            {
                "data": {"dataset": "ml_100k", "split": "u1"},
                "extract": {"max_nodes_per_hop": 200},
                "model": {"init": "uniform"},
                "train": {"selection": "fixed", "epochs": 80},
                "live": True,
            },
            "6a942095f1c68421",
        ),
        (
            {"extract": {"max_nodes_per_hop": 50}, "train": {"epochs": 12, "ensemble_every": 1}},
            "2a90127737feb745",
        ),
    ],
    ids=["defaults", "fixed epochs", "demo"],
)
def test_digests_are_those_under_which_runs_have_been_stored(settings, digest):
    assert RunConfig.from_dict(settings).digest() == digest


def test_settings_under_former_names_are_the_same_settings():
    for former, value in (("paper", "fixed"), ("validated", "validation")):
        config = TrainConfig.from_dict({"protocol": former, "epochs": 3})
        assert config == TrainConfig(selection=value, epochs=3)
        assert list(config.identity().items())[:2] == [("protocol", former), ("epochs", 3)]
        assert list(config.to_dict().items())[:2] == [("selection", value), ("epochs", 3)]
        assert RunConfig.from_dict(RunConfig(train=config).identity()) == RunConfig(train=config)
    assert RunConfig.current({"seed": 2, "train": {"protocol": "paper", "x": 1}, "y": [3]}) == {
        "seed": 2,
        "train": {"selection": "fixed", "x": 1},
        "y": [3],
    }


def test_a_setting_under_both_of_its_names_is_refused():
    values = {"train": {"protocol": "paper", "selection": "fixed"}}
    with pytest.raises(ConfigError, match=r"given twice; got 'protocol and selection'.*remove protocol"):
        RunConfig.from_dict(values)


def test_no_knob_has_the_former_name_of_another():
    former = [field.metadata["former"].name for _, field in KNOBS if field.metadata["former"]]
    assert former
    assert not set(former) & {field.name for _, field in KNOBS}
    for _, field in KNOBS:
        if field.metadata["former"]:
            assert set(field.metadata["former"].values) <= set(field.metadata["choices"])


def test_a_number_written_without_a_point_is_the_same_setting():
    assert TrainConfig.from_dict({"arr": 1}).digest() == TrainConfig(arr=1.0).digest()
    assert issubclass(TrainConfig, Config)
