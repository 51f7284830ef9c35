"""Rows laid over rows: what no new row touches is copied in long pieces, so that time goes by bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["RowSplice"]

Ints = NDArray[np.int64]


class RowSplice:
    """How two sets of rows become one; where both have a row, that of the new set counts.

    Args:
        old, new: int32 [n] and [m], ascending: the nodes whose rows there are.
        old_ptr, new_ptr: int64 [n + 1] and [m + 1]: the bounds of the rows.
    """

    def __init__(self, old: NDArray[np.int32], new: NDArray[np.int32], old_ptr: Ints, new_ptr: Ints) -> None:
        self._old_ptr, self._new_ptr = old_ptr, new_ptr
        at = np.searchsorted(old, new)
        hit = np.zeros(len(new), np.int64)
        there = at < len(old)
        hit[there] = old[at[there]] == new[there]
        self._at, self._next = at.tolist(), (at + hit).tolist()
        self.nodes: NDArray[np.int32] = self.facts(old, new)
        lengths = self.facts(np.diff(old_ptr), np.diff(new_ptr))
        self.ptr = np.zeros(len(self.nodes) + 1, np.int64)
        np.cumsum(lengths, out=self.ptr[1:])

    def facts(self, old: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
        """What stands once for each row: of the old rows [n, ...], of the new ones [m, ...]."""
        return _joined(self._pieces(old, new, range(len(old) + 1), range(len(new) + 1)))

    def values(self, old: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
        """What stands in the rows: of the old ones [old_ptr[n], ...], of the new ones [new_ptr[m], ...]."""
        return _joined(self._pieces(old, new, self._old_ptr.tolist(), self._new_ptr.tolist()))

    def _pieces(
        self, old: NDArray[Any], new: NDArray[Any], old_ptr: Sequence[int], new_ptr: Sequence[int]
    ) -> Iterator[NDArray[Any]]:
        done = 0
        for k, (at, after) in enumerate(zip(self._at, self._next, strict=True)):
            if at > done:
                yield old[old_ptr[done] : old_ptr[at]]
            yield new[new_ptr[k] : new_ptr[k + 1]]
            done = after
        yield old[old_ptr[done] :]


def _joined(pieces: Iterator[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(list(pieces))
