"""Presets: the network of a data set, and its settings that differ from the defaults."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any

from igmc.argument_types import checked_types
from igmc.config.base import Config
from igmc.config.networks import NETWORKS
from igmc.config.run import RunConfig, network_of

__all__ = [
    "PAPER_DATASETS",
    "PRESETS",
    "default_network",
    "merged",
    "preset_settings",
    "run_config",
    "sectioned",
]

PAPER_DATASETS = ("ml_100k", "ml_1m", "flixster", "douban", "yahoo_music")

# What differs from the defaults, by network and data set. "rgcn" is the network of the paper: with it ml_100k
# and ml_1m have the paper's settings, as have the Monti sets by the defaults; the others have ours.
_PRESETS: dict[str, dict[str, dict[str, dict[str, Any]]]] = {
    "rgcn": {
        "ml_100k": {
            "extract": {"max_nodes_per_hop": 200},
            "model": {"init": "uniform"},
            "train": {"epochs": 80},
        },
        "ml_1m": {
            "extract": {"max_nodes_per_hop": 100},
            "model": {"edge_dropout": 0.0, "init": "uniform"},
            "train": {"epochs": 40, "decay_every": 20, "ensemble_every": 5},
        },
        "ml_10m": {"extract": {"max_nodes_per_hop": 100}, "train": {"epochs": 10, "ensemble_every": 2}},
        "ml_25m": {"extract": {"max_nodes_per_hop": 100}, "train": {"epochs": 10, "ensemble_every": 2}},
        "ml_latest_small": {"extract": {"max_nodes_per_hop": 200}},
        "demo": {"extract": {"max_nodes_per_hop": 50}, "train": {"epochs": 12, "ensemble_every": 1}},
    },
    "neighbours": {  # chosen on validation ratings, under five minutes on two cores
        "ml_100k": {"neighbours": {"epochs": 10}},
        "demo": {"neighbours": {"dates": "none"}},  # its times are drawn at random
        "ml_10m": {"neighbours": {"estimates": "none"}},  # ten fits would take hours
        "ml_25m": {"neighbours": {"estimates": "none"}},
    },
}

# The data sets for which `preset_settings` of some network differ from the defaults.
PRESETS = tuple(dict.fromkeys(dataset for presets in _PRESETS.values() for dataset in presets))


def default_network(dataset: str, *, implicit: bool = False) -> str:
    """The network used for a data set unless another one is named.

    For the five data sets of the IGMC paper (Zhang & Chen, ICLR 2020) it is "rgcn", the network of the paper,
    so that its results are reproduced; for all others, and for files, "neighbours", which is more accurate.
    For data without ratings it is "ranker".

    Args:
        dataset: a name of the catalogue, in any spelling that it takes, or a path.
        implicit: whether it is read without ratings.
    """
    if implicit:
        return "ranker"
    return "rgcn" if _canonical(dataset) in PAPER_DATASETS else "neighbours"


def _canonical(dataset: str) -> str:
    """A name as the catalogue has it: case does not count, and - is _."""
    return dataset.lower().replace("-", "_")


def preset_settings(dataset: str, network: str | None = None) -> dict[str, Any]:
    """The network of a data set and the settings that differ from the defaults, by section of `RunConfig`.

    Args:
        dataset: a name of the catalogue; any other name has a network but no settings.
        network: the one that is trained; `default_network` if None.

    >>> preset_settings("ml_100k")["network"], preset_settings("ml_100k")["train"]
    ('rgcn', {'epochs': 80})
    """
    network = network or default_network(dataset)
    sections = _PRESETS.get(network, {}).get(_canonical(dataset), {})
    return {"network": network} | {section: dict(values) for section, values in sections.items()}


@checked_types
def run_config(dataset: str | None = None, chosen: Mapping[str, Any] | None = None) -> RunConfig:
    """The preset of a data set, overridden by the chosen settings, as in `igmc-train`.

    Args:
        dataset: a name of the catalogue, or a path; the one that is chosen if None, or else "demo".
        chosen: settings by section of `RunConfig`, or by name alone; the network that they name, or whose
            sections they have, takes the place of the data set's.

    Raises:
        ConfigError: on a setting that is unknown, of another network, or not allowed.

    >>> run_config("ml_100k", {"train": {"epochs": 3}}).train.epochs
    3
    >>> run_config("ml_100k", {"epochs": 3, "test_ratio": 0.2}).train.epochs
    3
    """
    chosen = RunConfig.current(chosen or {})
    own = chosen.get("dataset") or chosen.get("data", {}).get("dataset")
    dataset = dataset or own or RunConfig().data.dataset
    implicit = bool(chosen.get("implicit") or chosen.get("data", {}).get("implicit"))
    network = network_of(chosen) or default_network(dataset, implicit=implicit)
    chosen = merged(sectioned(chosen, network), {"data": {"dataset": dataset}})
    return RunConfig.from_dict(merged(preset_settings(dataset, network_of(chosen) or network), chosen))


def sectioned(settings: Mapping[str, Any], network: str) -> dict[str, Any]:
    """The settings, with those that are given by name alone in the section that has them.

    Args:
        settings: by section of `RunConfig`, or by name alone; also by former names.
        network: whose settings are meant.

    >>> sectioned({"epochs": 3, "levels": 5, "seed": 2}, "rgcn")
    {'seed': 2, 'train': {'epochs': 3}, 'data': {'levels': 5}}
    """
    hints = typing.get_type_hints(RunConfig)
    known = NETWORKS[network].sections if network in NETWORKS else ()
    sections = {
        section: {name for f in dataclasses.fields(cls) for name in (f.name, cls.first_name(f.name))}
        for section in ("data", *known)
        if isinstance(cls := hints[section], type) and issubclass(cls, Config)
    }
    found = {name: value for name, value in settings.items() if name in hints}
    for name, value in settings.items():
        if name not in hints:  # where no section has it, `RunConfig.from_dict` says so
            home = next((section for section, names in sections.items() if name in names), None)
            found = merged(found, {name: value} if home is None else {home: {name: value}})
    return found


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of both, section by section; where both have one, that of `above`.

    >>> merged({"train": {"epochs": 80, "arr": 0.1}}, {"train": {"epochs": 3}})
    {'train': {'epochs': 3, 'arr': 0.1}}
    """
    found = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(found.get(key), Mapping)
        found[key] = merged(found[key], value) if both else value
    return found
