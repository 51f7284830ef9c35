"""From the name of a network to what it does.

A new network is two things, and a third where it has settings of its own:

1. a module with a subclass of `Network`, and an instance of it named ``NETWORK``;
2. an entry in `igmc.config.networks.NETWORKS`, from which settings, options, reports and this module know it;
3. a section class in `igmc.config.sections`, and a field for it in `RunConfig`.

`tests/networks/test_contract.py` then asks of it all that it asks of the others. To stand in the tables of
`igmc-evaluate` and be searched by `igmc tune`, it needs a recommender too; see `igmc.recommenders.registry`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from igmc.config import NETWORKS
from igmc.networks.network import Network

__all__ = ["find_network"]


def find_network(name: str) -> Network[Any]:
    """The network of a name among `NETWORKS`, whose module is loaded if needed."""
    found: Network[Any] = import_module(NETWORKS[name].module).NETWORK
    return found
