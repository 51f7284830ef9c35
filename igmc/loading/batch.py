"""The input of one step: subgraphs, with the ratings to predict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from igmc.graph import Subgraphs
from igmc.ranks import Place

__all__ = ["Batch"]

A = TypeVar("A")


class Structure(NamedTuple, Generic[A]):
    """The part of `Subgraphs` that a network reads: all except the ids, as arrays or tensors."""

    user_ptr: A
    item_ptr: A
    edge_ptr: A
    user_label: A
    item_label: A
    degree: A
    edge_item: A
    edge_level: A


@dataclass(frozen=True, eq=False)
class Batch:
    """P subgraphs and their targets.

    Attributes:
        subgraphs: in CPU memory, whatever the device of the batch.
        rating: float32 [P], the ratings to predict, on the original scale, on the device of the batch.
        side: float32 [P, F], side features of the target user and item side by side, or None.
        noise: key of this step's dropout; equal keys drop the same edges and units, on any device.
        place: of these pairs in the batch of all ranks; None if they are the whole batch.
        edges_before: ratings in the subgraphs of the pairs before them in the batch of all ranks.
        moved: the arrays of the subgraphs as tensors, where `to` has copied them.
    """

    subgraphs: Subgraphs
    rating: Tensor
    side: Tensor | None = None
    noise: int = 0
    place: Place | None = None
    edges_before: int = 0
    moved: Structure[Tensor] | None = None

    @classmethod
    def from_subgraphs(
        cls,
        subgraphs: Subgraphs,
        rating: NDArray[np.float32],
        *,
        side: NDArray[np.float32] | None = None,
        noise: int = 0,
        place: Place | None = None,
        edges_before: int = 0,
    ) -> Batch:
        """Wrap the arrays without copying them."""
        tensor = None if side is None else torch.from_numpy(side)
        return cls(subgraphs, torch.from_numpy(rating), tensor, noise, place, edges_before)

    def __len__(self) -> int:
        return len(self.rating)

    @property
    def first(self) -> int:
        """Number of the first pair in the batch of all ranks."""
        return 0 if self.place is None else self.place.first

    @property
    def total(self) -> int:
        """Pairs in the batch of all ranks."""
        return len(self) if self.place is None else self.place.total

    @property
    def arrays(self) -> Structure[NDArray[Any]]:
        """The arrays of the subgraphs, as Numba takes them."""
        return Structure(*(getattr(self.subgraphs, name) for name in Structure._fields))

    @property
    def tensors(self) -> Structure[Tensor]:
        """The same as tensors on the batch's device."""
        if self.moved is not None:
            return self.moved
        return Structure(*(torch.from_numpy(array) for array in self.arrays))

    def to(self, device: torch.device | str) -> Batch:
        """The batch on a device."""
        if self.rating.device == torch.device(device):
            return self

        def move(tensor: Tensor) -> Tensor:
            return tensor.to(device, non_blocking=True)

        return replace(
            self,
            rating=move(self.rating),
            side=None if self.side is None else move(self.side),
            moved=Structure(*map(move, self.tensors)),
        )
