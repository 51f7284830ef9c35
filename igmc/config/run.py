"""All that determines a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from igmc.config.base import Config, knob
from igmc.config.sections import DataConfig, ExtractConfig, ModelConfig, NeighboursConfig, TrainConfig
from igmc.errors import ConfigError

__all__ = ["SECTIONS", "RunConfig", "network_of"]

# What of `RunConfig` is for one network alone.
SECTIONS = {"rgcn": ("extract", "model", "train", "live"), "neighbours": ("neighbours",)}


@dataclass(frozen=True)
class RunConfig(Config):
    """All that determines a run."""

    network: str = knob(
        "rgcn",
        "'rgcn', the paper's, or 'neighbours', a learned neighbourhood method on closed-form statistics",
        choices=("rgcn", "neighbours"),
        late=True,
    )
    data: DataConfig = field(default_factory=DataConfig)
    extract: ExtractConfig = field(default_factory=ExtractConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    neighbours: NeighboursConfig = field(default_factory=NeighboursConfig)
    live: bool | None = knob(
        None,
        "extract while training, sampled anew each epoch, instead of from the store; by size if not given",
    )
    seed: int = knob(1, "seed of everything random", low=0, high=2**32 - 1)

    @property
    def training(self) -> TrainConfig:
        """How checkpoints are selected, whatever the network."""
        if self.network == "rgcn":
            return self.train
        own = self.neighbours
        return TrainConfig(selection=own.selection, epochs=own.epochs, ensemble_size=1)

    def _stored(self) -> list[tuple[dataclasses.Field[Any], Any]]:
        """Without what is for another network."""
        hidden = {name for network, names in SECTIONS.items() if network != self.network for name in names}
        return [(f, value) for f, value in super()._stored() if f.name not in hidden]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """See `Config.from_dict`; without a network it is that of `network_of`, else the paper's.

        Raises:
            ConfigError: also on settings of another network than the one that is named.
        """
        if isinstance(values, Mapping):
            network = network_of(values) or "rgcn"
            values = {**values, "network": network}
            for other, names in SECTIONS.items():
                for name in names:
                    if other != network and name in values:
                        raise ConfigError(
                            f"{name} holds settings of the network {other}",
                            got=f"network {network}",
                            remedy=f"leave them out, or set network to {other}",
                        )
        return super().from_dict(values)


def network_of(values: Mapping[str, Any]) -> str | None:
    """The network that settings name, or else the one whose sections they have; None if they suit any."""
    named: str | None = values.get("network")
    return named or next((name for name, own in SECTIONS.items() if any(key in values for key in own)), None)
