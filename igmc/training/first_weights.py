"""Initial weights from another run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import nn

from igmc.config import NeighboursConfig
from igmc.errors import ConfigError
from igmc.loading import pair_width
from igmc.models import NeighboursEnsemble
from igmc.short_repr import short_repr

__all__ = ["FirstWeights", "first_ensemble", "start_from"]


@dataclass(frozen=True, eq=False)
class FirstWeights:
    """Initial weights of a training, instead of random ones.

    Attributes:
        run, epoch: where they are from.
        state: of the model there.
    """

    __repr__ = short_repr

    run: str
    epoch: int
    state: Mapping[str, torch.Tensor]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the weights, 64 hex digits."""
        sha = hashlib.sha256()
        for name, tensor in sorted(self.state.items()):
            sha.update(name.encode() + tensor.numpy().tobytes())
        return sha.hexdigest()

    def record(self) -> dict[str, Any]:
        """What the folder of the new run says of them."""
        return {"run": self.run, "epoch": self.epoch, "digest": self.digest}


def start_from(model: nn.Module, state: Mapping[str, torch.Tensor] | None) -> None:
    """Initialize a new model with the final weights of another run, if given.

    Raises:
        ConfigError: if that run is of another shape.
    """
    if state is None:
        return
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise ConfigError(
            "the run to start from has a network of another shape",
            got=" ".join(str(error).split()[:40]),
            remedy="start from a run with as many rating levels and the same settings of the network",
        ) from error


def first_ensemble(
    config: NeighboursConfig,
    seed: int,
    threads: int | None,
    start: Mapping[str, Any] | None,
    keeps_offset: bool,
) -> NeighboursEnsemble:
    """The model that a training of the neighbours network begins with; see `fit_neighbours`."""
    width = pair_width(config.estimators, config.date_kind)
    model = NeighboursEnsemble(
        config.members, pair_width=width, dropout=config.dropout, seed=seed, threads=threads
    )
    if start is not None:
        start_from(model, start)
        if not keeps_offset:
            model.offset.zero_()
            model.shrinkage.fill_(1.0)
    return model
