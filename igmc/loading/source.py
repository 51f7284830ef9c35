"""Sources of subgraphs for training and scoring: live extraction, or a store."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from igmc.config import ExtractConfig
from igmc.errors import StoreError
from igmc.graph import Part, Subgraphs, extract_subgraphs
from igmc.loading.support_dropout import SupportDropout
from igmc.ratings import Pairs
from igmc.store import StoreReader

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

    def only(self, rows: NDArray[np.int64]) -> SubgraphSource:
        """The pairs in these rows, ascending, as scoring reads them: without support dropout."""
        ...


class LiveSource:
    """Extracts each subgraph on request, without a store, and with `resample` a new sample each epoch.

    Args:
        part: the graph and the pairs.
        config: what a subgraph is.
        seed: of the draws.
        resample: draw again each epoch.
        support_dropout: hide ratings of targets; for training only.
    """

    def __init__(
        self,
        part: Part,
        config: ExtractConfig,
        *,
        seed: int,
        resample: bool = True,
        support_dropout: SupportDropout | None = None,
    ) -> None:
        self.pairs = part.pairs
        self.windows = np.array([0, len(part.pairs)], dtype=np.int64)
        self._graph, self._config, self._seed, self._resample = part.graph, config, seed, resample
        self._dropout = support_dropout

    def fetch(self, rows: NDArray[np.int64], epoch: int) -> Subgraphs:
        """See `SubgraphSource`; equal to the store's at epoch 0 or without `resample`, except for dropout."""
        user, item = self.pairs.user[rows], self.pairs.item[rows]
        seed, epoch = self._seed, epoch if self._resample else 0
        few_items, few_users = None, None
        if self._dropout is not None:
            few_items, few_users = self._dropout.limits(user, item, seed=seed, epoch=epoch)
        return extract_subgraphs(
            self._graph,
            user,
            item,
            self._config,
            seed=seed,
            epoch=epoch,
            user_limit=few_items,
            item_limit=few_users,
        )

    def only(self, rows: NDArray[np.int64]) -> LiveSource:
        """See `SubgraphSource`."""
        part = Part("", self._graph, _rows(self.pairs, rows))
        return LiveSource(part, self._config, seed=self._seed, resample=self._resample)


class StoreSource:
    """Reads subgraphs from a store, the same ones every epoch.

    Args:
        reader: of the store.
        pairs: of which it was made.
        rows: of the pairs that are asked for, int64, ascending; all if None.

    Raises:
        StoreError: if the store holds another number of pairs.
    """

    def __init__(self, reader: StoreReader, pairs: Pairs, rows: NDArray[np.int64] | None = None) -> None:
        if len(reader) != len(pairs):
            raise StoreError(
                "the store holds another number of pairs", got=len(reader), allowed=str(len(pairs))
            )
        self.pairs = pairs if rows is None else _rows(pairs, rows)
        self.windows = reader.windows if rows is None else np.searchsorted(rows, reader.windows)
        self._reader, self._stored, self._rows = reader, pairs, rows

    def fetch(self, rows: NDArray[np.int64], epoch: int) -> Subgraphs:
        """See `SubgraphSource`; `epoch` makes no difference here."""
        return self._reader.read(rows if self._rows is None else self._rows[rows])

    def only(self, rows: NDArray[np.int64]) -> StoreSource:
        """See `SubgraphSource`."""
        return StoreSource(self._reader, self._stored, rows if self._rows is None else self._rows[rows])


def _rows(pairs: Pairs, rows: NDArray[np.int64]) -> Pairs:
    return Pairs(pairs.user[rows], pairs.item[rows], pairs.rating[rows])
