"""What all factorizations share: draws of user and item vectors, whose products are averaged."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from igmc.recommenders.base import Floats, Indices, Monitor, Recommender
from igmc.recommenders.early_stopping import EarlyStopping
from igmc.recommenders.factorization.gibbs import Sampler, conditional_means, prior_means
from igmc.recommenders.training_data import Ratings, TrainingData
from igmc.rng import stream

__all__ = ["FactorModel"]

SIDES = ("user", "item")


class FactorModel(Recommender):
    """``mean + deviation * (average over draws of p_u . q_i + b_u + b_i)``.

    `_sample` fits it to ratings by the Gibbs `Sampler`. A draw that is kept holds the item vectors as
    drawn, and of the user vectors their expectation given these: the average over draws is then the same, but
    with less noise (Rao & Blackwell). It is also just what a new user gets in `fold_in`, so a user whose
    ratings come after training is served like one who was there, with one ridge regression for each draw.

    Attributes:
        mean, deviation: of the training ratings.
        draws: ``user`` float32 [S, n_users, D] and ``item`` [S, n_items, D], the bias last; ``alpha`` float64
            [S]; for both sides ``*_mean`` float64 [S, D], ``*_precision`` [S, D, D], and with implicit terms
            ``user_links`` float32 [S, n_items, D] and ``item_links`` [S, n_users, D].
        known: the ratings known.
    """

    fitted: ClassVar = ("mean", "deviation", "draws", "known")
    inductive: ClassVar = True

    mean: float
    deviation: float
    draws: dict[str, NDArray[Any]]
    known: dict[str, NDArray[Any]]

    def _sample(
        self, data: TrainingData, monitor: Monitor | None, *, factors: int, patience: int, implicit: bool
    ) -> None:
        """Draw until there are ``config.draws``, or until more of them are no better on validation."""
        config, asked = self.config, data.validation
        self.mean = float(data.train.rating.mean(dtype=np.float64))
        self.deviation = float(data.train.rating.std(dtype=np.float64)) or 1.0
        self.known = data.train.columns()
        sampler = Sampler(self._standard(), factors, implicit, stream(self.seed, self.name))
        kept: list[dict[str, NDArray[Any]]] = []
        stopping, total = EarlyStopping(patience, higher_is_better=False), np.zeros(len(asked))
        for epoch in range(1, config.burn_in + config.draws * config.thin + 1):
            record = {"epoch": float(epoch), "loss": sampler.sweep() * self.deviation**2}
            if epoch > config.burn_in and (epoch - config.burn_in) % config.thin == 0:
                kept.append(sampler.draw())
                if len(asked):
                    total += _products(kept[-1], asked.user, asked.item)
                    predicted = self.mean + self.deviation * total / len(kept)
                    record["validation_rmse"] = float(np.sqrt(np.mean((predicted - asked.rating) ** 2)))
                    stopping.update(len(kept), record["validation_rmse"])
            self.history.append(record)
            if monitor is not None:
                monitor(record)
            if stopping.stop:
                break
        kept = kept[: stopping.best_epoch or len(kept)]
        self.draws = {name: np.stack([draw[name] for draw in kept]) for name in kept[0]}

    @property
    def n_draws(self) -> int:
        """Number of draws averaged."""
        return len(self.draws["user"])

    def _predict(self, user: Indices, item: Indices) -> Floats:
        total = np.zeros(len(user))
        for s in range(self.n_draws):
            total += _products({side: self.draws[side][s] for side in SIDES}, user, item)
        return (self.mean + self.deviation * total / self.n_draws).astype(np.float32)

    def _scores(self, users: Indices) -> Floats:
        total = np.zeros((len(users), self.n_items), np.float32)
        for left, right in zip(self.draws["user"], self.draws["item"], strict=True):
            rows = left[users]
            total += rows[:, :-1] @ right[:, :-1].T
            total += rows[:, -1:] + right[:, -1]
        return np.asarray(self.mean + self.deviation * total / self.n_draws, dtype=np.float32)

    def _fold_in(self, support: Ratings) -> None:
        """Users with new ratings, and items without any before, get the vectors expected of them.

        All else stays as it is. New items are fitted to the users as they are, then users to all items; a
        second time where new users rate new items.
        """
        self.known, before = (Ratings(**self.known) + support).columns(), self.known["item"]
        users, items = np.unique(support.user), np.setdiff1d(support.item, before)
        ratings = self._standard()
        turned = sparse.csr_array(ratings.T)
        self.draws = {**self.draws, **{side: self.draws[side].copy() for side in SIDES}}
        for _ in range(2 if len(items) else 1):
            for s in range(self.n_draws):
                self._expect("item", s, items, turned)
                self._expect("user", s, users, ratings)

    def _expect(self, side: str, s: int, rows: NDArray[np.int32], matrix: sparse.csr_array) -> None:
        if not len(rows):
            return
        draws, part = self.draws, matrix[rows]
        links = draws[f"{side}_links"][s].astype(np.float64) if f"{side}_links" in draws else None
        expected = prior_means(
            part.indptr.astype(np.int64), part.indices.astype(np.int32), draws[f"{side}_mean"][s], links
        )
        other = draws["user" if side == "item" else "item"][s].astype(np.float64)
        draws[side][s, rows] = conditional_means(
            part, other, expected, draws[f"{side}_precision"][s], float(draws["alpha"][s])
        )

    def _standard(self) -> sparse.csr_array:
        """The known ratings, in standard deviations from their mean."""
        matrix = Ratings(**self.known).matrix(self.n_users, self.n_items).astype(np.float64)
        matrix.data = (matrix.data - self.mean) / self.deviation
        return matrix


def _products(
    draw: dict[str, NDArray[Any]], user: NDArray[np.int32], item: NDArray[np.int32]
) -> NDArray[np.float64]:
    """``p_u . q_i + b_u + b_i`` of P pairs, float64 [P]."""
    left, right = draw["user"][user].astype(np.float64), draw["item"][item].astype(np.float64)
    products: NDArray[np.float64] = np.einsum("pk,pk->p", left[:, :-1], right[:, :-1])
    return products + left[:, -1] + right[:, -1]
