"""The intercept of a trained network: set so that its mean error on training pairs is 0.

Dropout and short training leave a constant error in the predictions, which the last bias, trained by Adam,
removes only slowly. Measured in evaluation mode, it can be removed at once.
"""

from __future__ import annotations

import numpy as np
import torch

from igmc.loading import Loader
from igmc.models import IGMC
from igmc.training.ensemble import predict

__all__ = ["LEAST_SAMPLE", "set_intercept", "training_sample"]

SHARE = 20  # one of so many training pairs is looked at
LEAST_SAMPLE, MOST = 2_000, 5_000  # pairs; the mean error of as many is known to 0.02 and 0.01 ratings
BATCH = 256  # without gradients, larger batches cost no accuracy and less overhead


def training_sample(training: Loader) -> Loader:
    """The training pairs that the intercept is set by, drawn by the loader's seed: the same each epoch.

    Their subgraphs are those of scoring, without the edge of the pair itself.
    """
    return training.sample(int(np.clip(len(training.source.pairs) // SHARE, LEAST_SAMPLE, MOST)), BATCH)


def set_intercept(model: IGMC, training: Loader, device: torch.device) -> float:
    """Move a model's intercept to where its mean error on `training_sample` is 0.

    Returns:
        By how much it was moved, in ratings.
    """
    sample = training_sample(training)
    error = predict(model, sample, device) - sample.source.pairs.rating
    offset = -float(np.mean(error, dtype=np.float64))
    with torch.no_grad():
        model.intercept.add_(offset)
    return offset
