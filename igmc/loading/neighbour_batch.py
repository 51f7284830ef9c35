"""The input of one step of the neighbours network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from igmc.ranks import Place
from igmc.statistics import NeighbourRows

__all__ = ["NeighbourBatch"]


@dataclass(frozen=True, eq=False)
class NeighbourBatch:
    """A batch of pairs with their neighbours.

    Attributes:
        neighbours: of all pairs.
        index: int64 [P], which of them make the batch.
        target: float32 [P], what is left of their ratings by the biases, in deviations.
        noise: key of this step's dropout.
        progress: share of the epoch before it, 0 to below 1.
        counts: float32 [M, P], 0 for what a member must not learn from, 1 else; all ones if None.
        of: float32 [M], the sums of the `counts` of all ranks; None if these pairs are the whole batch.
        device: where the tensors go.
        place: where these pairs stand in the batch of all ranks; None if they are the whole batch.
    """

    neighbours: NeighbourRows
    index: NDArray[np.int64]
    target: Tensor
    noise: int = 0
    progress: float = 0.0
    counts: Tensor | None = None
    of: Tensor | None = None
    device: str = "cpu"
    place: Place | None = None

    def __len__(self) -> int:
        return len(self.index)

    @property
    def first(self) -> int:
        """Number of the first pair in the batch of all ranks."""
        return 0 if self.place is None else self.place.first

    @property
    def total(self) -> int:
        """Pairs in the batch of all ranks."""
        return len(self) if self.place is None else self.place.total

    @classmethod
    def whole(cls, neighbours: NeighbourRows, size: int = 1000) -> Iterator[NeighbourBatch]:
        """All pairs in order, to be scored, in batches of at most `size`."""
        for low in range(0, len(neighbours), size):
            index = np.arange(low, min(low + size, len(neighbours)))
            yield cls(neighbours, index, torch.zeros(len(index)))

    def to(self, device: torch.device | str) -> NeighbourBatch:
        """The batch with its tensors on a device."""
        counts, of = (None if one is None else one.to(device) for one in (self.counts, self.of))
        return replace(self, target=self.target.to(device), counts=counts, of=of, device=str(device))

    def counted(self, member: int) -> tuple[Tensor, Tensor]:
        """How much each pair counts for a member, float32 [P], and the sum of that over all ranks."""
        if self.counts is None:
            return torch.ones_like(self.target), self.target.new_tensor(float(self.total))
        counts = self.counts[member]
        return counts, counts.sum() if self.of is None else self.of[member]

    @property
    def pair(self) -> Tensor:
        """float32 [P, 10]."""
        return torch.from_numpy(self.neighbours.pair[self.index]).to(self.device)

    def side(self, name: str) -> tuple[Tensor, Tensor, Tensor]:
        """ptr, residual and rows of the neighbours on one side, on the device."""
        found = getattr(self.neighbours, name)
        first, count = found.ptr[self.index], found.ptr[self.index + 1] - found.ptr[self.index]
        ptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(count)])
        rows = np.repeat(first - ptr[:-1], count) + np.arange(ptr[-1])
        arrays = ptr, found.residual[rows], found.rows[rows]
        return tuple(torch.from_numpy(array).to(self.device) for array in arrays)  # type: ignore[return-value]
