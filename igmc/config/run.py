"""The settings of a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from igmc.config.base import Config, knob
from igmc.config.data import DataConfig
from igmc.config.neighbours import NeighboursConfig
from igmc.config.networks import FIRST_NETWORK, NETWORKS
from igmc.config.ranker import RankerConfig
from igmc.config.sections import ExtractConfig, ModelConfig, TrainConfig
from igmc.errors import ConfigError

__all__ = ["RunConfig", "network_of", "network_with", "others_settings"]


@dataclass(frozen=True)
class RunConfig(Config):
    """Settings of a run."""

    network: str = knob(
        FIRST_NETWORK,
        ", or ".join(f"{name!r}, {one.about}" for name, one in NETWORKS.items()),
        choices=NETWORKS,
        late=True,
    )
    data: DataConfig = field(default_factory=DataConfig)
    extract: ExtractConfig = field(default_factory=ExtractConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    neighbours: NeighboursConfig = field(default_factory=NeighboursConfig)
    ranker: RankerConfig = field(default_factory=RankerConfig)
    live: bool | None = knob(
        None,
        "extract while training, with a new sample each epoch, instead of using a store; by size if not set",
    )
    seed: int = knob(1, "random seed", low=0, high=2**32 - 1)

    @property
    def training(self) -> TrainConfig:
        """How checkpoints are selected, whatever the network."""
        one = NETWORKS[self.network]
        own = getattr(self, one.training)
        if isinstance(own, TrainConfig):
            return own if one.averages else own.replace(ensemble_size=1)
        selection = getattr(own, "selection", "fixed")  # the ranker chooses no checkpoint
        return TrainConfig(selection=selection, epochs=own.epochs, ensemble_size=1)

    @property
    def side_features(self) -> bool:
        """Whether the network reads side features of its own data set."""
        return "model" in NETWORKS[self.network].sections and self.model.side_features

    def _stored(self) -> list[tuple[dataclasses.Field[Any], Any]]:
        """Without what is for another network."""
        hidden = others_settings(self.network)
        return [(f, value) for f, value in super()._stored() if f.name not in hidden]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """See `Config.from_dict`; without a network it is that of `network_of`, else the paper's.

        Raises:
            ConfigError: also on settings of another network than the one that is named.
        """
        if isinstance(values, Mapping):
            network = network_of(values) or FIRST_NETWORK
            values = {**values, "network": network}
            for name in (name for name in others_settings(network) if name in values):
                other = network_with(name)
                raise ConfigError(
                    f"{name} holds settings of the network {other}",
                    got=f"network {network}",
                    remedy=f"omit them, or set network to {other}",
                )
        return super().from_dict(values)


def network_of(values: Mapping[str, Any]) -> str | None:
    """The network that settings name, or else the one whose sections they have; None if they suit any."""
    named: str | None = values.get("network")
    with_own = (name for name, one in NETWORKS.items() if any(key in values for key in one.sections))
    return named or next(with_own, None)


def network_with(section: str) -> str | None:
    """The network, the first of several, whose settings a field of `RunConfig` holds; None if of no one."""
    return next((name for name, one in NETWORKS.items() if section in one.sections), None)


def others_settings(network: str) -> list[str]:
    """The fields of `RunConfig` that hold settings of networks, but not of this one."""
    every = dict.fromkeys(name for one in NETWORKS.values() for name in one.sections)
    own = [name for other, one in NETWORKS.items() if other == network for name in one.sections]
    return [name for name in every if name not in own]
