"""A run's settings: names and digests that last, and the sections of its network alone."""

import pytest

from igmc.config import DataConfig, RunConfig, TrainConfig, network_of
from igmc.errors import ConfigError


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


def test_a_file_of_items_is_the_same_setting_under_its_former_name():
    config = DataConfig(dataset="r.csv", item_info="films.csv")
    assert DataConfig.from_dict({"dataset": "r.csv", "items": "films.csv"}) == config
    assert config.to_dict()["item_info"] == "films.csv"
    assert config.identity()["items"] == "films.csv"
    assert config.digest() == "c838b73511df0526"
    assert (DataConfig.first_name("item_info"), DataConfig.first_name("levels")) == ("items", "levels")


def test_a_setting_under_both_of_its_names_is_refused():
    values = {"train": {"protocol": "paper", "selection": "fixed"}}
    with pytest.raises(ConfigError, match=r"given twice; got 'protocol and selection'.*remove protocol"):
        RunConfig.from_dict(values)


def test_sections_name_the_network_where_nothing_else_does():
    assert network_of({"seed": 2}) is None
    assert network_of({"train": {}}) == "rgcn"
    assert network_of({"neighbours": {}}) == "neighbours"
    assert network_of({"network": "rgcn", "neighbours": {}}) == "rgcn"
    assert RunConfig.from_dict({"neighbours": {"epochs": 2}}).network == "neighbours"
    assert RunConfig.from_dict({"seed": 2}).network == "rgcn"
