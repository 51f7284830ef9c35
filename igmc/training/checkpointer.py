"""Storage of checkpoints during training: the interface, and an implementation in memory."""

from __future__ import annotations

import io
from typing import Any, Protocol

import torch

__all__ = ["Checkpointer", "MemoryCheckpointer"]


class Checkpointer(Protocol):
    """Keeps the state of a training after its epochs: `MemoryCheckpointer`, or `RunFolder` on disk."""

    def latest(self) -> dict[str, Any] | None:
        """The state after the last saved epoch, to resume from; None at the start.

        Raises:
            CheckpointError: if it is damaged.
        """

    def save_epoch(self, epoch: int, state: dict[str, Any], keep: set[int]) -> None:
        """Store the state after an epoch, and remove earlier epochs that are not in `keep`.

        Args:
            epoch: from 1, ascending.
            state: ``model`` and ``optimizer``, their state dicts; ``training``, what training goes on from
                where that is not what the model answers with; and ``history``, a record for each epoch.
            keep: the epochs whose states are needed, this one among them.

        Raises:
            IgmcError: if it cannot be written.
        """


class MemoryCheckpointer:
    """Stores checkpoints in memory, for a training that need not be resumed by another process."""

    def __init__(self) -> None:
        self._saved: dict[int, bytes] = {}

    def latest(self) -> dict[str, Any] | None:
        """As `Checkpointer.latest`."""
        return self.load_epoch(max(self._saved)) if self._saved else None

    def save_epoch(self, epoch: int, state: dict[str, Any], keep: set[int]) -> None:
        """As `Checkpointer.save_epoch`."""
        # As bytes, since the tensors of the state are those that training goes on to change.
        written = io.BytesIO()
        torch.save(state, written)
        self._saved[epoch] = written.getvalue()
        self._saved = {number: content for number, content in self._saved.items() if number in keep}

    def epochs(self) -> list[int]:
        """The epochs whose states were kept, ascending."""
        return sorted(self._saved)

    def load_epoch(self, epoch: int) -> dict[str, Any]:
        """The state after an epoch that was kept, on the CPU."""
        state: dict[str, Any] = torch.load(
            io.BytesIO(self._saved[epoch]), map_location="cpu", weights_only=True
        )
        return state
