"""Where subgraphs come from while training and scoring: cut live out of the graph, or read from the store."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from igmc.config import ExtractConfig
from igmc.errors import StoreError
from igmc.graph.kernel import extract_subgraphs
from igmc.graph.parts import Part
from igmc.graph.subgraph import Subgraphs
from igmc.ratings.table import Pairs
from igmc.store.reader import StoreReader

__all__ = ["LiveSource", "StoreSource", "SubgraphSource"]


class SubgraphSource(Protocol):
    """Subgraphs of numbered pairs; safe to call from several threads."""

    @property
    def pairs(self) -> Pairs:
        """The pairs, in order."""
        ...

    @property
    def windows(self) -> NDArray[np.int64]:
        """Bounds of the runs of pairs within which random access is cheap, int64 [windows + 1]."""
        ...

    def fetch(self, rows: NDArray[np.int64], epoch: int) -> Subgraphs:
        """The subgraphs of the pairs in these rows, in this order."""
        ...


class LiveSource:
    """Extracts each subgraph when it is asked for: no disk, and with `resample` a fresh sample each epoch."""

    def __init__(self, part: Part, config: ExtractConfig, *, seed: int, resample: bool = True) -> None:
        self.pairs = part.pairs
        self.windows = np.array([0, len(part.pairs)], dtype=np.int64)
        self._graph, self._config, self._seed, self._resample = part.graph, config, seed, resample

    def fetch(self, rows: NDArray[np.int64], epoch: int) -> Subgraphs:
        """See `SubgraphSource`; equal to the store's subgraphs at epoch 0 or without `resample`."""
        return extract_subgraphs(
            self._graph,
            self.pairs.user[rows],
            self.pairs.item[rows],
            self._config,
            seed=self._seed,
            epoch=epoch if self._resample else 0,
        )


class StoreSource:
    """Reads subgraphs from a store, the same ones every epoch.

    Raises:
        StoreError: if the store holds another number of pairs than asked for.
    """

    def __init__(self, reader: StoreReader, pairs: Pairs) -> None:
        if len(reader) != len(pairs):
            raise StoreError(
                "the store holds another number of pairs", got=len(reader), allowed=str(len(pairs))
            )
        self.pairs, self.windows = pairs, reader.windows
        self._reader = reader

    def fetch(self, rows: NDArray[np.int64], epoch: int) -> Subgraphs:
        """See `SubgraphSource`; `epoch` makes no difference here."""
        return self._reader.read(rows)
