"""Dropout by counter hash: the mask is a function of a key, equal on every device and after every resume."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["dropout", "edge_masks"]

_MIX_1 = 0xBF58476D1CE4E5B9 - 2**64
_MIX_2 = 0x94D049BB133111EB - 2**64
_GOLDEN = 0x9E3779B97F4A7C15 - 2**64
_MLP_DRAWS = 2**40  # above the number of any edge in a batch, so that the two masks share no draw


def dropout(x: Tensor, p: float, key: int, first: int = 0) -> Tensor:
    """Zero each element of x, float [P, F], with probability p and scale the rest by 1 / (1 - p).

    Args:
        x: rows of a batch, from number `first` on: the draws of a row are the same in any part of the batch.
        p, key: as in `edge_masks`.
        first: number of the first row.
    """
    counters = torch.arange(x.numel(), device=x.device).view_as(x) + (_MLP_DRAWS + first * x.size(1))
    keep = _high(_fold(key, counters)) >= threshold(p)
    return x * keep / (1.0 - p)


def edge_masks(
    n_edges: int, p: float, mode: str, key: int, device: torch.device, first: int = 0
) -> tuple[Tensor, Tensor]:
    """Which edges stay: bool [E] for messages item -> user, and for user -> item.

    Args:
        n_edges: E.
        p: share dropped, in [0, 1).
        mode: "direction" draws each direction on its own, "both" once for both.
        key: uint64; equal keys give equal masks.
        device: where the masks are made.
        first: number of the first edge in its batch.
    """
    bits = _fold(key, torch.arange(first, first + n_edges, device=device))
    to_user = _high(bits) >= threshold(p)
    if mode == "both":
        return to_user, to_user
    return to_user, (bits & 0xFFFFFFFF) >= threshold(p)


def threshold(p: float) -> int:
    """32-bit draws below this are dropped."""
    return int(p * 2.0**32)


def _fold(key: int, counters: Tensor) -> Tensor:
    """`igmc.rng.fold` on int64 tensors, whose arithmetic wraps as that of uint64 does."""
    signed = key - 2**64 if key >= 2**63 else key
    x = (counters + 1) * _GOLDEN + signed
    x = (x ^ _shift(x, 30)) * _MIX_1
    x = (x ^ _shift(x, 27)) * _MIX_2
    return x ^ _shift(x, 31)


def _high(x: Tensor) -> Tensor:
    return _shift(x, 32)


def _shift(x: Tensor, by: int) -> Tensor:
    """Logical shift to the right; torch's own keeps the sign."""
    return (x >> by) & ((1 << (64 - by)) - 1)
