"""The ranker, fitted: it scores all items for the users known and for newcomers, without training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from igmc.config import RankerConfig
from igmc.ranking.candidates import find_candidates
from igmc.ranking.closed_forms import ClosedForms, Rows
from igmc.ranking.network import RankingNetwork
from igmc.threads import away

__all__ = ["Ranker"]

Floats = NDArray[np.float32]

BLOCK = 64  # users scored at once


class Ranker:
    """Closed forms of the ratings known, and networks that weigh them; it never changes.

    Attributes:
        config: its settings.
        forms: of the ratings known.
        networks: whose mean counts.
    """

    def __init__(self, config: RankerConfig, forms: ClosedForms, networks: Sequence[RankingNetwork]) -> None:
        self.config, self.forms, self.networks = config, forms, tuple(networks)

    @property
    def n_items(self) -> int:
        """Items that it knows of."""
        return int(self.forms.seen.shape[1])

    def scores(self, rows: Rows) -> Floats:
        """A score for each item, float32 [B, n_items]; higher is better, and finite.

        The candidates come first, by the networks; behind them all others, by the mean of the closed forms.
        Items that are seen are scored last of all, and equally.

        Args:
            rows: what B users show.
        """
        out = np.empty((rows.seen.shape[0], self.n_items), np.float32)
        for low in range(0, len(out), BLOCK):
            part = slice(low, low + BLOCK)
            out[part] = away(self._block, Rows(rows.seen[part], rows.rating[part], rows.own[part]))
        return out

    def on(self, rating: sparse.csr_array) -> Self:
        """The same networks on other ratings, float32 [n_users, n_items], such as another data set's."""
        return type(self)(self.config, ClosedForms.fit(rating), self.networks)

    def state(self) -> dict[str, Any]:
        """What `from_state` takes, apart from the ratings: tensors and arrays."""
        return {
            "forms": self.forms.state(),
            "networks": [network.state_dict() for network in self.networks],
        }

    @classmethod
    def from_state(cls, config: RankerConfig, seen: sparse.csr_array, state: Mapping[str, Any]) -> Self:
        """The ranker of a state; `seen` are the ratings known, as ones."""
        networks = []
        for weights in state["networks"]:
            network = RankingNetwork(torch.Generator())
            network.load_state_dict(weights)
            networks.append(network)
        return cls(config, ClosedForms.from_state(seen, state["forms"]), networks)

    @torch.no_grad()
    def _block(self, rows: Rows) -> Floats:
        found = find_candidates(self.forms, rows, self.config.candidates)
        inputs = torch.from_numpy(found.scores), torch.from_numpy(found.context)
        best = torch.stack([network(*inputs) for network in self.networks]).mean(dim=0).numpy()
        promise, item = found.promise, found.item
        unseen = np.isfinite(promise)
        able = np.take_along_axis(unseen, item, axis=1)
        out = np.where(unseen, promise, np.where(unseen, promise, np.inf).min(axis=1, keepdims=True) - 1.0)
        out[~unseen.any(axis=1)] = 0.0
        others = promise.copy()
        np.put_along_axis(others, item, -np.inf, axis=1)
        ceiling = others.max(axis=1, keepdims=True)
        lowest = np.where(able, best, np.inf).min(axis=1, keepdims=True)
        lifted = best - lowest + np.where(np.isfinite(ceiling), ceiling, 0.0) + 1.0
        np.put_along_axis(out, item, np.where(able, lifted, np.take_along_axis(out, item, axis=1)), axis=1)
        return out.astype(np.float32)
