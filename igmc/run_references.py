"""What is reached without any model to speak of: means, and regularized biases.

A reference that beats a graph network says that the network has learned nothing of use.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from igmc.ratings import Split
from igmc.recommenders import TrainingData, make_recommender

__all__ = ["REFERENCES", "reference_predictions"]

REFERENCES = {
    "global_mean": "global mean",
    "user_mean": "user mean",
    "item_mean": "item mean",
    "user_item_mean": "(user mean + item mean) / 2",
    "biases": "regularized biases",
}


def reference_predictions(split: Split) -> dict[str, NDArray[np.float32]]:
    """Predictions of the references for the test pairs, float32 [P] each, from all other ratings.

    What there is to choose, the damping of the biases, is chosen on the validation part.
    """
    data, test = TrainingData.from_split(split), split.pairs(split.test)
    models = {label: make_recommender(name).fit(data).refit(data) for name, label in REFERENCES.items()}
    return {label: model.predict(test.user, test.item) for label, model in models.items()}
