"""Matrix factorization: Bayesian for ratings, BPR for rankings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from igmc.config import Config, knob
from igmc.errors import TrainingError
from igmc.recommenders.base import Floats, Indices, Monitor
from igmc.recommenders.early_stopping import EarlyStopping
from igmc.recommenders.factorization.bpr import Likes, Vectors, train_pass
from igmc.recommenders.factorization.factor_model import SIDE_FEATURES, FactorModel
from igmc.recommenders.search_space import OneOf, Range
from igmc.recommenders.training_data import Ratings, TrainingData
from igmc.recommenders.validation_ndcg import validation_lists
from igmc.rng import stream

__all__ = ["MF", "MFConfig"]

DEFAULT_FACTORS = {"rating": 8, "ranking": 64}
DEFAULT_PATIENCE = {"rating": 10, "ranking": 20}
FOLD_PASSES = 30


@dataclass(frozen=True)
class MFConfig(Config):
    """How the factorization is learned."""

    objective: str = knob(
        "rating",
        "'rating' predicts ratings (Gibbs sampling); 'ranking' orders items (BPR), each rating being a like",
        choices=("rating", "ranking"),
    )
    factors: int | None = knob(None, "number of factors; by default 8 for ratings and 64 for rankings", low=1)
    burn_in: int = knob(40, "Gibbs sweeps before the first draw is kept (rating)", low=0)
    draws: int = knob(40, "maximum number of draws to average (rating)", low=1)
    thin: int = knob(4, "Gibbs sweeps per kept draw (rating)", low=1)
    patience: int | None = knob(
        None,
        "stop after this many draws (rating) or epochs (ranking) without a better validation score; "
        "by default 10 draws or 20 epochs",
        low=1,
    )
    side_features: bool = knob(False, SIDE_FEATURES, late=True)
    epochs: int = knob(200, "maximum number of epochs (ranking)", low=1)
    learning_rate: float = knob(0.02, "learning rate of BPR (ranking)", low=1e-12, high=10.0)
    regularization: float = knob(0.02, "L2 penalty on the factors of a pair (ranking)", low=0.0)


class MF(FactorModel):
    """Biased matrix factorization, ``r_ui = mean + b_u + b_i + p_u . q_i``.

    With the objective "rating" it is Bayesian probabilistic matrix factorization (Salakhutdinov & Mnih, ICML
    2008), with biases: the prediction is the mean over draws from the posterior. With "ranking" it maximizes
    ``sum log sigmoid(s_ui - s_uj)``, where u has rated i and not j, j drawn uniformly, by stochastic gradient
    steps (BPR-MF: Rendle et al., UAI 2009); ``s_ui = p_u . q_i + b_i``. The values of ratings are ignored.

    A user or item without ratings has the mean vector of its side (rating), or the vector 0 (ranking: a new
    user gets the items by their biases). `fold_in` fits the vectors of users with new ratings, and of items
    that had none before, to all else as it is.

    Attributes:
        fit_state: of the estimates (rating), or the vectors ``(p_u, 0)`` and ``(q_i, b_i)``, float32
            [n_users, D] and [n_items, D], as ``user`` and ``item`` (ranking).
    """

    name: ClassVar = "mf"
    config_class: ClassVar = MFConfig

    @property
    def ranks_only(self) -> bool:
        return bool(self.config.objective == "ranking")

    @property
    def uses_validation(self) -> bool:
        return True

    def search_space(self) -> dict[str, Range | OneOf]:
        if not self.ranks_only:
            # More sweeps and draws cost time and do no harm, and the priors are drawn too.
            return {"factors": Range(2, 64, log=True)}
        # A decade or so to both sides of the defaults; sizes as in Rendle et al. (RecSys 2020).
        return {
            "factors": Range(16, 192, log=True),
            "learning_rate": Range(0.005, 0.5, log=True),
            "regularization": Range(0.001, 0.2, log=True),
        }

    def chosen_config(self) -> MFConfig:
        config: MFConfig = self.config
        if not self.n_items:
            return config
        if self.ranks_only:
            return config.replace(epochs=self._best_epoch())
        return config.replace(draws=self.n_draws)

    def _patience(self) -> int:
        return int(self.config.patience or DEFAULT_PATIENCE[self.config.objective])

    def _best_epoch(self) -> int:
        measured = [record.get("validation_ndcg", record["epoch"]) for record in self.history]
        return int(np.argmax(measured)) + 1

    def _fit(self, data: TrainingData, monitor: Monitor | None) -> None:
        factors = self.config.factors or DEFAULT_FACTORS[self.config.objective]
        if self.ranks_only:
            self._rank(data, monitor, factors)
        else:
            self._sample(data, monitor, factors=factors, patience=self._patience(), implicit=False)

    def _rank(self, data: TrainingData, monitor: Monitor | None, factors: int) -> None:
        config, self.known = self.config, data.train.columns()
        self.folded_users = self.folded_items = np.empty(0, np.int32)
        rng = stream(self.seed, self.name, "start")
        sides = {}
        for side, size in (("user", self.n_users), ("item", self.n_items)):
            vectors = rng.normal(0.0, 0.1, (size, factors + 1)).astype(np.float32)
            vectors[np.bincount(self.known[side], minlength=size) == 0] = 0.0
            vectors[:, -1] = 0.0
            sides[side] = vectors
        everyone = np.ones(self.n_users, np.bool_), np.ones(self.n_items, np.bool_)
        stopping, kept = EarlyStopping(self._patience(), higher_is_better=True), sides
        for epoch in range(1, config.epochs + 1):
            loss = self._pass(sides, data.train, everyone, epoch)
            if not np.isfinite(loss):
                raise TrainingError(
                    f"the pairwise training diverged in epoch {epoch}",
                    got=config.learning_rate,
                    remedy="lower learning_rate",
                )
            self.fit_state = sides
            record = {"epoch": float(epoch), "loss": loss, "learning_rate": config.learning_rate}
            if len(data.validation):
                record |= validation_lists(self.scores, data)
                if stopping.update(epoch, record["validation_ndcg"]):
                    kept = {side: vectors.copy() for side, vectors in sides.items()}
            self.history.append(record)
            if monitor is not None:
                monitor(record)
            if stopping.stop:
                break
        self.fit_state = kept

    def _pass(
        self,
        sides: dict[str, NDArray[np.float32]],
        known: Ratings,
        learns: tuple[NDArray[np.bool_], NDArray[np.bool_]],
        epoch: int,
    ) -> float:
        """One pass over the pairs, changing the vectors in place; returns the mean loss."""
        seen = known.matrix(self.n_users, self.n_items)
        rows = np.repeat(np.arange(self.n_users, dtype=np.int32), np.diff(seen.indptr))
        key = np.uint64(int(stream(self.seed, self.name, "pairs", epoch).integers(2**63)))
        rates = np.float32(self.config.learning_rate), np.float32(self.config.regularization)
        loss: float = train_pass(
            Likes(seen.indptr.astype(np.int64), seen.indices.astype(np.int32), rows),
            Vectors(sides["user"], sides["item"], *learns),
            *rates,
            key,
        )
        return loss

    def _fold_in(self, support: Ratings) -> None:
        if not self.ranks_only:
            super()._fold_in(support)
            return
        learns = np.zeros(self.n_users, np.bool_), np.zeros(self.n_items, np.bool_)
        learns[0][support.user] = True
        learns[1][np.setdiff1d(support.item, self.known["item"])] = True
        self.known = (Ratings(**self.known) + support).columns()
        concerned = learns[0][self.known["user"]] | learns[1][self.known["item"]]
        rows = Ratings(**{name: column[concerned] for name, column in self.known.items()})
        sides = {side: self.fit_state[side].copy() for side in ("user", "item")}
        for epoch in range(1, FOLD_PASSES + 1):
            self._pass(sides, rows, learns, epoch)
        self.fit_state = sides

    def _predict(self, user: Indices, item: Indices) -> Floats:
        if not self.ranks_only:
            return super()._predict(user, item)
        left, right = self.fit_state["user"][user], self.fit_state["item"][item]
        products: Floats = np.einsum("pk,pk->p", left[:, :-1], right[:, :-1]) + left[:, -1] + right[:, -1]
        return products

    def _scores(self, users: Indices) -> Floats:
        if not self.ranks_only:
            return super()._scores(users)
        left, right = self.fit_state["user"][users], self.fit_state["item"]
        products: Floats = left[:, :-1] @ right[:, :-1].T + left[:, -1:] + right[:, -1]
        return products

    def _restore(self) -> None:
        if not self.ranks_only:
            super()._restore()
