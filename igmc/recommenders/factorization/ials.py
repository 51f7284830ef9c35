"""iALS: factors of what was rated and what was not, by the library ``implicit``."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from igmc.config import Config, knob
from igmc.errors import MissingExtraError
from igmc.recommenders.base import Floats, Indices, Monitor, Recommender
from igmc.recommenders.search_space import OneOf, Range
from igmc.recommenders.training_data import Ratings, TrainingData
from igmc.threads import cores, one_blas_thread

__all__ = ["IALS", "IALSConfig"]


@dataclass(frozen=True)
class IALSConfig(Config):
    """The factors, and how they are fitted."""

    factors: int = knob(64, "length of the vectors of users and items", low=1)
    regularization: float = knob(10.0, "L2 penalty on the vectors", low=0.0)
    alpha: float = knob(2.0, "weight of a pair that was rated; one that was not weighs 1", low=1.0)
    iterations: int = knob(15, "sweeps over both sides", low=1)


class IALS(Recommender):
    """``s_ui = p_u . q_i``, by alternating least squares (Hu, Koren & Volinsky, ICDM 2008).

    ``sum_ui c_ui (x_ui - p_u . q_i)^2 + regularization (|p|^2 + |q|^2)`` is minimized over all pairs, x being
    1 for those that were rated, which weigh `alpha`, and 0 for the others, which weigh 1. The values of
    ratings are ignored. Rendle et al. (*Revisiting the Performance of iALS*, RecSys 2022) find it as good as
    any when it is tuned: ``igmc tune --model ials``. It needs the extra ``baselines``, and the library fits.

    The vector of a user is the least-squares solution on the vectors of the items, so ratings of new users
    count at once after `fold_in`; items unseen in training keep the vector 0, and so has a user without
    ratings.
    """

    name: ClassVar = "ials"
    config_class: ClassVar = IALSConfig
    fitted: ClassVar = ("known", "items")
    inductive: ClassVar = True

    known: dict[str, NDArray[Any]]
    items: NDArray[np.float32]
    users: NDArray[np.float32]

    @property
    def ranks_only(self) -> bool:
        return True

    def search_space(self) -> dict[str, Range | OneOf]:
        return {
            "factors": OneOf((32, 64, 128, 256)),
            "regularization": Range(0.1, 300.0, log=True),
            "alpha": Range(1.1, 30.0, log=True),
            "iterations": OneOf((8, 16, 32)),
        }

    def _fit(self, data: TrainingData, monitor: Monitor | None) -> None:
        model, self.known = self._model(), data.train.columns()
        with one_blas_thread():
            model.fit(self._seen(), show_progress=False)
        self.items = np.array(model.item_factors, np.float32)
        self.items[np.bincount(self.known["item"], minlength=self.n_items) == 0] = 0.0
        self._restore()

    def _model(self) -> Any:
        config: IALSConfig = self.config
        library = _implicit().als
        with one_blas_thread():  # it has threads of its own, and warns where BLAS has more than one
            return library.AlternatingLeastSquares(
                factors=config.factors,
                regularization=config.regularization,
                alpha=config.alpha,
                iterations=config.iterations,
                num_threads=cores(),
                random_state=self.seed,
            )

    def _restore(self) -> None:
        """The vectors of all users, given those of the items."""
        model = self._model()
        model.item_factors = self.items
        with one_blas_thread():
            self.users = model.recalculate_user(np.arange(self.n_users), self._seen())

    def _fold_in(self, support: Ratings) -> None:
        self.known = (Ratings(**self.known) + support).columns()
        self._restore()

    def _seen(self) -> sparse.csr_matrix:
        seen = sparse.csr_matrix(Ratings(**self.known).matrix(self.n_users, self.n_items))
        seen.data = np.ones_like(seen.data)
        return seen

    def _predict(self, user: Indices, item: Indices) -> Floats:
        products: Floats = np.einsum("pk,pk->p", self.users[user], self.items[item])
        return products

    def _scores(self, users: Indices) -> Floats:
        products: Floats = self.users[users] @ self.items.T
        return products


def _implicit() -> ModuleType:
    try:
        import implicit.als
    except ImportError as error:
        raise MissingExtraError("ials needs the library implicit", extra="baselines") from error
    found: ModuleType = implicit
    return found
