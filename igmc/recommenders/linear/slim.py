"""SLIM: sparse linear item-item weights, by the elastic net of scikit-learn."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from igmc.config import Config, knob
from igmc.errors import MissingExtraError
from igmc.progress import step
from igmc.recommenders.base import Monitor
from igmc.recommenders.linear.item_weights import ItemWeights, largest_by_row
from igmc.recommenders.search_space import OneOf, Range
from igmc.recommenders.training_data import TrainingData

__all__ = ["SLIM", "SLIMConfig"]


@dataclass(frozen=True)
class SLIMConfig(Config):
    """How strongly the weights are shrunk."""

    l1: float = knob(1.0, "L1 penalty on the weights of an item, which makes them sparse", low=0.0)
    l2: float = knob(20.0, "L2 penalty on the weights of an item", low=0.0)
    kept: int = knob(500, "largest weights to keep per item", low=1)
    passes: int = knob(50, "maximum number of passes of coordinate descent per item", low=1)


class SLIM(ItemWeights):
    """``S = X W`` with W at least 0 and zeros on its diagonal, fitted an item at a time.

    Column i minimizes ``|x_i - X w|^2 / 2 + l1 |w|_1 + l2 |w|^2 / 2`` with ``w >= 0`` and ``w_i = 0`` (Ning &
    Karypis, *SLIM: Sparse Linear Methods for Top-N Recommender Systems*, ICDM 2011). It needs the extra
    ``baselines``.
    """

    name: ClassVar = "slim"
    config_class: ClassVar = SLIMConfig

    def search_space(self) -> dict[str, Range | OneOf]:
        return {"l1": Range(0.01, 30.0, log=True), "l2": Range(0.1, 300.0, log=True)}

    def _fit(self, data: TrainingData, monitor: Monitor | None) -> None:
        try:
            from sklearn.linear_model import ElasticNet
        except ImportError as error:
            raise MissingExtraError("slim needs scikit-learn", extra="baselines") from error
        self.known = data.train.columns()
        self._restore()
        config, total = self.config, max(self.config.l1 + self.config.l2, 1e-12)
        # Its objective is ours over the number of rows.
        net = ElasticNet(
            alpha=total / self.n_users,
            l1_ratio=config.l1 / total,
            fit_intercept=False,
            positive=True,
            copy_X=False,
            max_iter=config.passes,
            tol=1e-3,
        )
        design = sparse.csc_matrix(self.seen, dtype=np.float64)
        columns = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a pass more would change the order of no list
            for item in range(self.n_items):
                columns.append(_column(net, design, item, config.kept))
                step(f"weights of {item + 1:,} items")
        self.weights = sparse.csr_array(sparse.vstack(columns).T).astype(np.float32)


def _column(net: object, design: sparse.csc_matrix, item: int, kept: int) -> sparse.csr_array:
    """The weights of the others for an item, float32 [1, n_items]; those of an item without ratings are 0."""
    low, high = design.indptr[item : item + 2]
    weights = np.zeros(design.shape[1], np.float32)
    if high > low:
        target = np.zeros(design.shape[0])
        target[design.indices[low:high]] = 1.0
        ones = design.data[low:high].copy()
        design.data[low:high] = 0.0  # it may not predict itself
        weights = net.fit(design, target).coef_.astype(np.float32)  # type: ignore[attr-defined]
        design.data[low:high] = ones
        weights[item] = 0.0
    return largest_by_row(weights[None], kept)
