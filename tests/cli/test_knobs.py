"""Options of several networks: which knob an option stands for."""

import dataclasses

import pytest

from igmc.cli.knobs import Knob, active, by_flag, help_text
from igmc.config import NeighboursConfig, TrainConfig


def knob(section, config, name):
    return Knob(section, config.__dataclass_fields__[name], type(getattr(config(), name)))


RGCN, NEIGHBOURS = knob("train", TrainConfig, "epochs"), knob("neighbours", NeighboursConfig, "epochs")


@pytest.mark.parametrize(("network", "expected"), [("rgcn", RGCN), ("neighbours", NEIGHBOURS)])
def test_an_option_stands_for_the_knob_of_the_network(network, expected):
    assert active((RGCN, NEIGHBOURS), network) is expected
    assert active((expected,), network) is expected
    other = NEIGHBOURS if expected is RGCN else RGCN
    assert active((other,), network) is None


def test_a_knob_of_no_network_is_always_there():
    everywhere = knob("list", TrainConfig, "epochs")
    assert active((everywhere,), "rgcn") is active((everywhere,), "neighbours") is everywhere


def test_knobs_of_one_name_share_an_option():
    arr = knob("train", TrainConfig, "arr")
    assert by_flag([RGCN, arr, NEIGHBOURS]) == [[RGCN, NEIGHBOURS], [arr]]


def test_the_help_of_each_has_its_own_default():
    assert "default 40" in help_text(RGCN)
    assert f"default {NeighboursConfig().epochs}" in help_text(NEIGHBOURS)
    assert dataclasses.fields(NeighboursConfig)
