"""Looks up networks by name.

A new network takes two steps, and a third if it has its own settings:

1. a module with a subclass of `Network`, and an instance of it named ``NETWORK``;
2. an entry in `igmc.config.networks.NETWORKS`, from which settings, options, reports and this module know it;
3. a section class in `igmc.config.sections`, and a field for it in `RunConfig`.

`tests/networks/test_contract.py` then tests it like the others. To appear in the tables of `igmc-evaluate`
and be searched by `igmc tune`, it needs a recommender too; see `igmc.recommenders.registry`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from igmc.config import NETWORKS
from igmc.networks.network import Network

__all__ = ["find_network"]


def find_network(name: str) -> Network[Any]:
    """The network with this name in `NETWORKS`; its module is loaded on first use."""
    found: Network[Any] = import_module(NETWORKS[name].module).NETWORK
    return found
