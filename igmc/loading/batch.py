"""One step's input: flat subgraphs as tensors, with the ratings that are asked."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from igmc.graph import Subgraphs

__all__ = ["Batch"]


@dataclass(frozen=True, eq=False)
class Batch:
    """P subgraphs with U user nodes, I item nodes and E rated edges.

    Attributes:
        user_ptr, item_ptr, edge_ptr: int64 [P + 1]; user_label, item_label: uint8 [U], [I];
            degree: int32 [U]; edge_item: int32 [E]; edge_level: uint8 [E]; all as in `Subgraphs`.
        rating: float32 [P], the ratings that are asked, on the original scale.
        side: float32 [P, F], side features of the target user and item side by side, or None.
        noise: key of this step's dropout; equal keys drop the same edges and units, on any device.
    """

    user_ptr: Tensor
    item_ptr: Tensor
    edge_ptr: Tensor
    user_label: Tensor
    item_label: Tensor
    degree: Tensor
    edge_item: Tensor
    edge_level: Tensor
    rating: Tensor
    side: Tensor | None = None
    noise: int = 0

    @classmethod
    def from_subgraphs(
        cls,
        subgraphs: Subgraphs,
        rating: NDArray[np.float32],
        *,
        side: NDArray[np.float32] | None = None,
        noise: int = 0,
    ) -> Batch:
        """Wrap the arrays without copying them."""
        return cls(
            user_ptr=torch.from_numpy(subgraphs.user_ptr),
            item_ptr=torch.from_numpy(subgraphs.item_ptr),
            edge_ptr=torch.from_numpy(subgraphs.edge_ptr),
            user_label=torch.from_numpy(subgraphs.user_label),
            item_label=torch.from_numpy(subgraphs.item_label),
            degree=torch.from_numpy(subgraphs.degree),
            edge_item=torch.from_numpy(subgraphs.edge_item),
            edge_level=torch.from_numpy(subgraphs.edge_level),
            rating=torch.from_numpy(rating),
            side=None if side is None else torch.from_numpy(side),
            noise=noise,
        )

    def __len__(self) -> int:
        return len(self.rating)

    def to(self, device: torch.device | str) -> Batch:
        """The batch on a device; itself if it is there already."""
        if self.rating.device == torch.device(device):
            return self
        moved = {
            f.name: getattr(self, f.name).to(device, non_blocking=True)
            for f in fields(self)
            if isinstance(getattr(self, f.name), Tensor)
        }
        return replace(self, **moved)
