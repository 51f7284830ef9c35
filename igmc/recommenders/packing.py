"""How the fitted attributes of a recommender are stored in a checkpoint."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy import sparse

from igmc.errors import CheckpointError

__all__ = ["packed", "unpacked"]

_PLAIN = (bool, int, float, str, list, tuple)


def packed(value: Any, name: str) -> Any:
    """An attribute as tensors and plain types, which is all that a checkpoint may hold.

    Args:
        value: NumPy array, SciPy CSR array, tensor, plain value, or dict of these.
        name: of the attribute, for the error.

    Raises:
        CheckpointError: on any other type.
    """
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(value))
    if isinstance(value, sparse.csr_array):
        parts = {part: packed(getattr(value, part), name) for part in ("data", "indices", "indptr")}
        return {"csr": parts, "shape": list(value.shape)}
    if isinstance(value, dict):
        return {"dict": {key: packed(part, f"{name}[{key!r}]") for key, part in value.items()}}
    if isinstance(value, torch.Tensor):
        return {"tensor": value.detach().cpu()}
    if value is None or type(value) in _PLAIN:
        return value
    raise CheckpointError(
        f"{name} cannot be saved",
        got=f"{type(value).__module__}.{type(value).__qualname__}",
        allowed="NumPy arrays, scipy.sparse.csr_array, tensors, plain Python values, and dicts of these",
    )


def unpacked(value: Any) -> Any:
    """The inverse of `packed`."""
    if isinstance(value, torch.Tensor):
        return value.numpy()
    if isinstance(value, dict) and "csr" in value:
        parts = {name: unpacked(part) for name, part in value["csr"].items()}
        return sparse.csr_array((parts["data"], parts["indices"], parts["indptr"]), shape=value["shape"])
    if isinstance(value, dict) and "dict" in value:
        return {key: unpacked(part) for key, part in value["dict"].items()}
    if isinstance(value, dict) and "tensor" in value:
        return value["tensor"]
    return value
