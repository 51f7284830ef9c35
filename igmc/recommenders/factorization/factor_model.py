"""What the factorizations that rate share: estimates by Gibbs sampling, stopped by validation."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from igmc.estimates import Draw, FactorEstimates, Sampler
from igmc.recommenders.base import Floats, Indices, Monitor, Recommender
from igmc.recommenders.early_stopping import EarlyStopping
from igmc.recommenders.training_data import Ratings, TrainingData
from igmc.threads import one_blas_thread

__all__ = ["SIDE_FEATURES", "FactorModel"]

SIDE_FEATURES = "read ages, genres, titles and so on too, which tell of users and items without ratings"


class FactorModel(Recommender):
    """``mean + deviation * (average over draws of p_u . q_i + b_u + b_i)``: `FactorEstimates` of the ratings.

    Attributes:
        fit_state: of the estimates, without what was folded in.
        known: the ratings known.
        folded_users, folded_items: int32, ascending: whose ratings came after training.
        estimates: what is predicted by.
    """

    fitted: ClassVar = ("fit_state", "known", "folded_users", "folded_items")
    inductive: ClassVar[bool] = True

    fit_state: dict[str, Any]
    known: dict[str, NDArray[Any]]
    folded_users: Indices
    folded_items: Indices
    estimates: FactorEstimates

    @one_blas_thread()
    def _sample(
        self, data: TrainingData, monitor: Monitor | None, *, factors: int, patience: int, implicit: bool
    ) -> None:
        """Draw until there are ``config.draws``, or until more of them are no better on validation."""
        config, asked = self.config, data.validation
        sampler = Sampler(
            data.train.user,
            data.train.item,
            data.train.rating,
            n_users=self.n_users,
            n_items=self.n_items,
            factors=factors,
            implicit=implicit,
            seed=self.seed,
            side=data.side_information() if config.side_features else None,
        )
        kept: list[Draw] = []
        stopping, total = EarlyStopping(patience, higher_is_better=False), np.zeros(len(asked))
        for epoch in range(1, config.burn_in + config.draws * config.thin + 1):
            record = {"epoch": float(epoch), "loss": sampler.sweep() * sampler.deviation**2}
            if epoch > config.burn_in and (epoch - config.burn_in) % config.thin == 0:
                kept.append(sampler.draw())
                if len(asked):
                    total += sampler.expected_ratings(kept[-1], asked.user, asked.item)
                    record["validation_rmse"] = float(
                        np.sqrt(np.mean((total / len(kept) - asked.rating) ** 2))
                    )
                    stopping.update(len(kept), record["validation_rmse"])
            self.history.append(record)
            if monitor is not None:
                monitor(record)
            if stopping.stop:
                break
        kept = kept[: stopping.best_epoch or len(kept)]
        self.fit_state = FactorEstimates.of_draws(kept, sampler).state()
        self.known = data.train.columns()
        self.folded_users = self.folded_items = np.empty(0, np.int32)
        self._restore()

    @property
    def n_draws(self) -> int:
        """Number of draws averaged."""
        return self.estimates.draws

    def _predict(self, user: Indices, item: Indices) -> Floats:
        return self.estimates.features(user, item)[0]

    def _fold_in(self, support: Ratings) -> None:
        """Users with new ratings, and items without any before, get the vectors expected of them."""
        items = np.setdiff1d(support.item, self.known["item"])
        self.folded_users = np.union1d(self.folded_users, support.user).astype(np.int32)
        self.folded_items = np.union1d(self.folded_items, items).astype(np.int32)
        self.known = (Ratings(**self.known) + support).columns()
        self._fold(np.unique(support.user), items)

    def _restore(self) -> None:
        self.estimates = FactorEstimates.from_state(self.fit_state)
        if len(self.folded_users):
            self._fold(self.folded_users, self.folded_items)

    def _fold(self, users: Indices, items: Indices) -> None:
        known = self.known
        concerned = np.isin(known["user"], users) | np.isin(known["item"], items)
        columns = (known[name][concerned] for name in ("user", "item", "rating"))
        self.estimates = self.estimates.fold_in(*columns, users=users, items=items)
