"""Checkpoint files: a header with a SHA-256, followed by the output of torch.save.

``torch.load`` accepts most damaged files, so the checksum is verified before decoding.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import torch

from igmc.errors import CheckpointError
from igmc.files import replace_file

__all__ = ["as_tensors", "load_checkpoint", "save_checkpoint"]

MAGIC = b"igmc checkpoint 1\n"
_FAMILY = b"igmc checkpoint "


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain types; the file is written atomically.

    Raises:
        IgmcError: if it cannot be written.
    """
    payload = io.BytesIO()
    torch.save(state, payload)
    content = payload.getvalue()
    replace_file(path, MAGIC, hashlib.sha256(content).hexdigest().encode() + b"\n", content)


def as_tensors(value: Any) -> Any:
    """A state whose arrays, in dicts and lists too, are tensors: what `save_checkpoint` takes."""
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(value))
    if isinstance(value, dict):
        return {name: as_tensors(part) for name, part in value.items()}
    return [as_tensors(part) for part in value] if isinstance(value, list) else value


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint onto the CPU.

    Raises:
        CheckpointError: if it is missing, damaged, or not one of this format.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"cannot read the checkpoint {path}: {error.strerror}",
            remedy="delete metrics.json, if it exists, and run the same igmc-train command to make it again",
        ) from error
    if not data.startswith(MAGIC):
        newer = data.startswith(_FAMILY) and data[len(_FAMILY) : len(MAGIC) - 1].isdigit()
        raise CheckpointError(
            f"{path} is {'a checkpoint of another version' if newer else 'not a checkpoint of igmc'}",
            got=data[: len(MAGIC)],
            allowed=repr(MAGIC),
            remedy="use the version of igmc that wrote it" if newer else _remedy(path),
        )
    digest, _, content = data[len(MAGIC) :].partition(b"\n")
    if hashlib.sha256(content).hexdigest().encode() != digest:
        raise CheckpointError(f"the checkpoint {path} is damaged: its checksum differs", remedy=_remedy(path))
    try:
        state: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # a payload that is forged makes the unpickler raise nearly anything
        raise CheckpointError(
            f"the checkpoint {path} holds more than tensors and plain types", remedy=_remedy(path)
        ) from error
    return state


def _remedy(path: Path) -> str:
    return (
        f"delete {path.name} and all later ones, and metrics.json, if there is one; then run igmc-train as "
        "before: it trains on from there"
    )
