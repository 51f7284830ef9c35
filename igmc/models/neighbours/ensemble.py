"""Several neighbours networks that answer as one, with the norms of their inputs and their calibration."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from igmc.loading import NeighbourBatch
from igmc.models.neighbours.network import NeighboursNetwork
from igmc.statistics import PAIR_WIDTH, InputNorms

__all__ = ["NeighboursEnsemble"]


class NeighboursEnsemble(nn.Module):
    """The mean step of M members from the biases, shrunk and moved as was found best after training.

    Args:
        members: M, 1 or more; they differ in their first weights and their dropout.
        pair_width, dropout: see `NeighboursNetwork`.
        seed: of the first weights.
        backend: "auto" takes the compiled kernels on a CPU, "torch" never does.

    Attributes:
        norms: of the inputs, on the graph of the training; other graphs have norms of their own.
        shrinkage: scalar, by which the mean step is multiplied; offset: scalar, in deviations, added then.
    """

    shrinkage: Tensor
    offset: Tensor

    def __init__(
        self,
        members: int,
        *,
        pair_width: int = PAIR_WIDTH,
        dropout: float,
        seed: int,
        threads: int | None = None,
        backend: str = "auto",
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(
            NeighboursNetwork(
                pair_width=pair_width,
                dropout=dropout,
                seed=seed,
                member=member,
                threads=threads,
                backend=backend,
            )
            for member in range(members)
        )
        for name, norm in zip(InputNorms._fields, InputNorms.identity(pair_width), strict=True):
            self.register_buffer(f"norm_{name}", torch.from_numpy(norm))
        self.register_buffer("shrinkage", torch.ones(()))
        self.register_buffer("offset", torch.zeros(()))

    @property
    def norms(self) -> InputNorms:
        return InputNorms(*(getattr(self, f"norm_{name}").cpu().numpy() for name in InputNorms._fields))

    @norms.setter
    def norms(self, norms: InputNorms) -> None:
        for name, norm in zip(InputNorms._fields, norms, strict=True):
            getattr(self, f"norm_{name}").copy_(torch.from_numpy(norm))

    def forward(self, batch: NeighbourBatch, presence: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Steps from the biases, float [P], in units of their deviation; see `NeighboursNetwork.forward`."""
        steps = torch.stack([member(batch, presence) for member in self.members]).mean(dim=0)
        return self.offset + self.shrinkage * steps

    def gradients(self, batch: NeighbourBatch) -> Tensor:
        """One step's gradients in the parameters' `grad`; returns the mean squared error, scalar.

        Each member learns by its own error, not by that of the mean, as if it answered alone, and from what
        counts for it (`NeighbourBatch.counts`). Of a rank's part, the error and its gradients are those that
        the part adds to the error of the batch of all ranks.
        """
        self.zero_grad(set_to_none=True)
        losses = []
        for number, member in enumerate(self.members):
            answer = self.offset + self.shrinkage * member(batch)
            counts, of = batch.counted(number)
            loss = (counts * (answer - batch.target) ** 2).sum() / of.clamp(min=1.0)
            loss.backward()
            losses.append(loss.detach())
        return torch.stack(losses).mean()

    def member_steps(
        self, batches: Iterable[NeighbourBatch]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What `steps` gives, float32 [P], and what each member answers alone, shrunk and moved, [M, P]."""
        found, each = [np.empty(0, np.float32)], [np.empty((len(self.members), 0), np.float32)]
        self.eval()
        with torch.inference_mode():
            for batch in batches:
                there = batch.to(self.offset.device)
                steps = torch.stack([member(there) for member in self.members])
                found.append((self.offset + self.shrinkage * steps.mean(dim=0)).cpu().numpy())
                each.append((self.offset + self.shrinkage * steps).cpu().numpy())
        return np.concatenate(found), np.concatenate(each, axis=1)

    def steps(
        self, batches: Iterable[NeighbourBatch], *, member: int | None = None
    ) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        """What `forward` gives for the pairs of some batches, float32 [P], in evaluation mode.

        Args:
            batches: to be asked in order.
            member: give what this one alone answers, neither shrunk nor moved.
        """
        device = self.offset.device
        answer = self if member is None else self.members[member]
        self.eval()
        with torch.inference_mode():
            found = [answer(batch.to(device)).cpu().numpy() for batch in batches]
        return np.concatenate([np.empty(0, np.float32), *found])
