"""Texts as vectors: words weighted by how few texts have them, reduced by a truncated SVD."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from igmc.rng import stream

__all__ = ["WordVectors"]

Floats = NDArray[np.float32]

RANK = 100
LEAST_TEXTS = 2  # that have a word, so that it says what they share
_WORD = re.compile(r"[^\W_]{2,}")


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Words by ``(1 + log count) (1 + log((1 + n) / (1 + n_word)))``, n_word of n texts having the word.

    Each text has length 1; then a truncated SVD keeps the first 100 axes (latent semantic analysis).

    Attributes:
        words: V of them, ascending.
        weight: float32 [V], the second factor.
        axes: float32 [V, R], the first right singular vectors.
    """

    words: tuple[str, ...]
    weight: Floats
    axes: Floats

    @classmethod
    def fit(cls, texts: Sequence[str]) -> Self:
        """The vectors of n texts; equal texts give equal ones."""
        found = Counter(word for text in texts for word in set(_words(text)))
        words = tuple(sorted(word for word, count in found.items() if count >= LEAST_TEXTS))
        counts = np.array([found[word] for word in words], np.float64)
        weight = (1.0 + np.log((1.0 + len(texts)) / (1.0 + counts))).astype(np.float32)
        plain = cls(words, weight, np.zeros((len(words), 0), np.float32))
        return cls(words, weight, _axes(plain._weighted(texts)))

    def encode(self, texts: Sequence[str]) -> Floats:
        """float32 [n, R]; 0 for a text without any of the words."""
        found: Floats = (self._weighted(texts) @ self.axes).astype(np.float32)
        return found

    def state(self) -> dict[str, Any]:
        """Plain lists and arrays; ``WordVectors(**state)`` is the way back."""
        return {"words": list(self.words), "weight": self.weight, "axes": self.axes}

    def _weighted(self, texts: Sequence[str]) -> sparse.csr_array:
        place = {word: at for at, word in enumerate(self.words)}
        ptr, column, value = [0], [], []
        for text in texts:
            count = Counter(word for word in _words(text) if word in place)
            at = np.array([place[word] for word in count], np.int64)
            row = (1.0 + np.log(np.array(list(count.values()), np.float64))) * self.weight[at]
            column.append(at)
            value.append(row / max(float(np.linalg.norm(row)), 1e-12))
            ptr.append(ptr[-1] + len(at))
        shape = len(texts), len(self.words)
        cells = np.concatenate([np.empty(0), *value]), np.concatenate([np.empty(0, np.int64), *column])
        return sparse.csr_array((*cells, ptr), shape=shape)


def _axes(matrix: sparse.csr_array) -> Floats:
    from scipy.sparse.linalg import svds

    rank = min(RANK, min(matrix.shape) - 1)
    if rank < 1:
        return np.zeros((matrix.shape[1], 0), np.float32)
    start = stream(1, "word vectors").standard_normal(min(matrix.shape))
    right = svds(matrix, k=rank, v0=start)[2]
    axes: Floats = right[::-1].T.astype(np.float32)
    return axes


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
