"""Batches of each epoch, prepared in the background during training."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from igmc.errors import ConfigError
from igmc.loading.batch import Batch
from igmc.loading.source import SubgraphSource
from igmc.ranks import ALONE, Place, Ranks
from igmc.rng import fold, mix64, stream

__all__ = ["Loader"]

SideFeatures = tuple[NDArray[np.float32], NDArray[np.float32]]


class Loader:
    """Iterates over the pairs of a source in batches.

    The order of the pairs and the dropout key of each batch are functions of (seed, epoch) alone. If the
    source is larger than its cache, windows are shuffled, and the pairs within each.

    Args:
        source: the subgraphs.
        batch_size: pairs per batch, 1 or more; the last batch of an epoch may be smaller.
        seed: of the order and of the dropout keys.
        shuffle: False keeps the order of the pairs, for scoring.
        side: side features of all users, float32 [n_users, F], and of all items, float32 [n_items, G].
        prefetch: batches prepared ahead by a background thread; 0 prepares each on request.
        ranks: that share the batches; each gets its part of every one, which may be empty.

    Attributes:
        seconds: spent so far on getting subgraphs ("extraction") and on making batches of them ("loading").
    """

    def __init__(
        self,
        source: SubgraphSource,
        batch_size: int,
        *,
        seed: int = 0,
        shuffle: bool = False,
        side: SideFeatures | None = None,
        prefetch: int = 2,
        ranks: Ranks = ALONE,
    ) -> None:
        if batch_size < 1:
            raise ConfigError("the batch size is out of range", got=batch_size, allowed="1 or more")
        self.source, self.batch_size = source, batch_size
        self.seconds = {"extraction": 0.0, "loading": 0.0}
        self._seed, self._shuffle, self._side, self._prefetch = seed, shuffle, side, prefetch
        self._ranks = ranks

    def __len__(self) -> int:
        """Batches per epoch."""
        return -(-len(self.source.pairs) // self.batch_size)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of one epoch; `epoch` is 0 or more."""
        order = self._order(epoch)
        with np.errstate(over="ignore"):
            keys = fold(
                fold(mix64(np.uint64(self._seed)), np.uint64(epoch)), np.arange(len(self), dtype=np.uint64)
            )
        steps = [
            (order[k * self.batch_size : (k + 1) * self.batch_size], epoch, int(key))
            for k, key in enumerate(keys)
        ]
        if not self._prefetch:
            yield from (self._batch(*step) for step in steps)
            return
        with ThreadPoolExecutor(1, thread_name_prefix="igmc-loader") as pool:
            waiting = deque(pool.submit(self._batch, *step) for step in steps[: self._prefetch])
            try:
                for step in steps[self._prefetch :]:
                    batch = waiting.popleft().result()
                    waiting.append(pool.submit(self._batch, *step))
                    yield batch
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def sample(self, most: int, batch_size: int) -> Loader:
        """Of some of the pairs, as they are scored: drawn at random by the seed, in their own order.

        Args:
            most: pairs drawn, or all where there are fewer.
            batch_size: as of the loader.
        """
        n = len(self.source.pairs)
        rows = np.sort(stream(self._seed, "sample").choice(n, min(most, n), replace=False))
        return Loader(self.source.only(rows), batch_size, side=self._side, prefetch=self._prefetch)

    def _order(self, epoch: int) -> NDArray[np.int64]:
        if not self._shuffle:
            return np.arange(len(self.source.pairs), dtype=np.int64)
        rng = stream(self._seed, "order", epoch)
        windows = [np.arange(first, last) for first, last in itertools.pairwise(self.source.windows)]
        return np.concatenate([rng.permutation(windows[k]) for k in rng.permutation(len(windows))])

    def _batch(self, rows: NDArray[np.int64], epoch: int, noise: int) -> Batch:
        start, part = time.perf_counter(), self._ranks.part(len(rows))
        place, rows = Place(part.start, len(rows)), rows[part]
        subgraphs = self.source.fetch(rows, epoch)
        fetched = time.perf_counter()
        pairs, side = self.source.pairs, None
        if self._side is not None:
            users, items = self._side
            side = np.concatenate([users[pairs.user[rows]], items[pairs.item[rows]]], axis=1)
        batch = Batch.from_subgraphs(
            subgraphs,
            pairs.rating[rows],
            side=side,
            noise=noise,
            place=place,
            edges_before=self._ranks.before(subgraphs.n_edges),
        )
        self.seconds["extraction"] += fetched - start
        self.seconds["loading"] += time.perf_counter() - fetched
        return batch
