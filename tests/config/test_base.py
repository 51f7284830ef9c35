"""Sections refuse what is not allowed, and say what is."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.config import Config, DataConfig, ExtractConfig, ModelConfig, RunConfig, TrainConfig
from igmc.errors import ConfigError


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
    with pytest.raises(ConfigError, match=r"hint: did you mean train\.epochs"):
        RunConfig.from_dict({"epochs": 3})
    with pytest.raises(ConfigError, match=r"hint: did you mean train\.epochs or neighbours\.epochs"):
        RunConfig.from_dict({"epoch": 3})
    with pytest.raises(ConfigError, match="hint: remove it"):
        RunConfig.from_dict({"zzz": 3})
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


def test_a_number_written_without_a_point_is_the_same_setting():
    assert TrainConfig.from_dict({"arr": 1}).digest() == TrainConfig(arr=1.0).digest()
    assert issubclass(TrainConfig, Config)
