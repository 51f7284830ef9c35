"""RP3beta and P3alpha: random walks of three steps from a user to items, against the popular ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from igmc.config import Config, knob
from igmc.recommenders.base import Monitor
from igmc.recommenders.linear.item_weights import ItemWeights, Weights, largest_by_row
from igmc.recommenders.search_space import OneOf, Range
from igmc.recommenders.training_data import TrainingData

__all__ = ["RP3Beta", "RP3BetaConfig"]

BETAS = (0.0, 0.2, 0.4, 0.6, 0.8)
DEFAULT_BETA = 0.6
BLOCK = 1000  # rows of weights that are dense at once


@dataclass(frozen=True)
class RP3BetaConfig(Config):
    """How the walk goes, and how much popularity counts against an item."""

    beta: float | None = knob(
        None,
        "power of an item's popularity that its score is divided by; 0 gives P3alpha; by default chosen on "
        "validation, else 0.6",
        low=0.0,
        high=2.0,
    )
    alpha: float = knob(1.0, "power of each transition probability", low=0.1, high=4.0)
    kept: int = knob(500, "largest weights to keep per item", low=1)


class RP3Beta(ItemWeights):
    """The probability of a random walk user - item - user - item, over the popularity of where it ends.

    With the numbers of ratings n_v and n_i, the weight of item j for item i is

        W_ji = n_i^-beta sum_v (1 / n_j)^alpha (1 / n_v)^alpha     over the users v who rated both

    (Paudel et al., *Updatable, Accurate, Diverse, and Scalable Recommendations for Interactive Applications*,
    TiiS 2017); with beta = 0 it is P3alpha (Cooper et al., WWW 2014). The first step, ``(1 / n_u)^alpha``, is
    left out: it is the same for all items of a user.
    """

    name: ClassVar = "rp3beta"
    config_class: ClassVar = RP3BetaConfig
    fitted: ClassVar = ("known", "weights", "beta")

    beta: float

    @property
    def uses_validation(self) -> bool:
        return self.config.beta is None

    def search_space(self) -> dict[str, Range | OneOf]:
        # As Ferrari Dacrema et al. (RecSys 2019) search them.
        return {"beta": Range(0.0, 2.0), "alpha": Range(0.1, 2.0), "kept": Range(5, 1000)}

    def chosen_config(self) -> RP3BetaConfig:
        config: RP3BetaConfig = self.config
        return config.replace(beta=self.beta) if self.n_items else config

    def _fit(self, data: TrainingData, monitor: Monitor | None) -> None:
        self.known = data.train.columns()
        self._restore()
        given = self.config.beta
        betas: tuple[float, ...] = (DEFAULT_BETA if given is None else float(given),)
        if given is None and len(data.validation):
            betas = BETAS
        self.beta = self._choose(data, self._candidates(betas))

    def _candidates(self, betas: tuple[float, ...]) -> Iterator[tuple[float, Weights]]:
        seen = self.seen.astype(np.float64)
        power = self.config.alpha
        users = np.maximum(seen.sum(axis=1), 1.0) ** -power
        items = np.maximum(seen.sum(axis=0), 1.0)
        back = sparse.csr_array(seen.T)  # item -> user
        forth = sparse.csr_array(sparse.diags_array(users) @ seen)
        pieces: dict[float, list[sparse.csr_array]] = {beta: [] for beta in betas}
        for low in range(0, self.n_items, BLOCK):
            walked = (back[low : low + BLOCK] @ forth).toarray()
            walked *= (items**-power)[low : low + BLOCK, None]
            rows = np.arange(len(walked))
            walked[rows, low + rows] = 0.0
            for beta in betas:
                divided = (walked / items**beta).astype(np.float32)
                pieces[beta].append(largest_by_row(divided, self.config.kept))
        for beta in betas:
            yield beta, sparse.csr_array(sparse.vstack(pieces[beta]))
