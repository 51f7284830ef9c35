"""Weights and dropout of torch, drawn from a seed of our own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from igmc.rng import stream

__all__ = ["torch_seeded"]


@contextmanager
def torch_seeded(seed: int, name: str) -> Iterator[None]:
    """While it lasts, torch draws weights and dropout from a stream of this seed; then as if nothing was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(stream(seed, name, "torch").integers(2**63)))
        yield
