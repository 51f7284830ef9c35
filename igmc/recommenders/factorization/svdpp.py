"""Matrix factorization that also learns from what was rated at all: a Bayesian SVD++."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from igmc.config import Config, knob
from igmc.recommenders.base import Monitor
from igmc.recommenders.factorization.factor_model import SIDE_FEATURES, FactorModel
from igmc.recommenders.search_space import OneOf, Range
from igmc.recommenders.training_data import TrainingData

__all__ = ["SVDpp", "SVDppConfig"]


@dataclass(frozen=True)
class SVDppConfig(Config):
    """How the factorization is sampled."""

    factors: int = knob(16, "number of factors", low=1)
    burn_in: int = knob(80, "Gibbs sweeps before the first draw is kept", low=0)
    draws: int = knob(60, "maximum number of draws to average", low=1)
    thin: int = knob(4, "Gibbs sweeps per kept draw", low=1)
    side_features: bool = knob(False, SIDE_FEATURES, late=True)
    patience: int = knob(10, "stop after this many draws without a better validation RMSE", low=1)


class SVDpp(FactorModel):
    """``r_ui = mean + b_u + b_i + p_u . q_i``, with vectors that also depend on what was rated at all.

    The prior mean of ``(p_u, b_u)`` is that of all users plus ``|N(u)|^-1/2 sum_{j in N(u)} y_j``, the
    implicit term of SVD++ (Koren, KDD 2008), and likewise for items with the users that rated them. All is
    drawn by Gibbs sampling (`igmc.estimates.Sampler`), and the prediction is the mean over draws. N(u) holds
    the known ratings only, never the pairs asked.

    A user or item without ratings has the mean vector of its side. `fold_in` fits the vectors of users with
    new ratings, and of items that had none before, to all else as it is. In the place of a newcomer's
    implicit term stands what few ratings lead to expect of the term of many.
    """

    name: ClassVar = "svdpp"
    config_class: ClassVar = SVDppConfig

    @property
    def uses_validation(self) -> bool:
        return True

    def search_space(self) -> dict[str, Range | OneOf]:
        # More sweeps and draws cost time and do no harm, and the priors are drawn too: this alone is open.
        return {"factors": Range(4, 64, log=True)}

    def chosen_config(self) -> SVDppConfig:
        config: SVDppConfig = self.config
        return config.replace(draws=self.n_draws) if self.n_items else config

    def _fit(self, data: TrainingData, monitor: Monitor | None) -> None:
        self._sample(data, monitor, factors=self.config.factors, patience=self.config.patience, implicit=True)
