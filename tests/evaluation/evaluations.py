"""Evaluations as if a model had been run, for tests of what is made of them."""

import numpy as np

from igmc.evaluation.model_evaluation import ModelEvaluation
from igmc.evaluation.protocols.registry import make_protocol


def make_evaluation(label, *, seed=1, protocol="random_80_20", **more) -> ModelEvaluation:
    """The evaluation of a model with an RMSE of 1; `more` is any of its attributes."""
    nothing = {"asked_user": np.int32, "asked_rating": np.float32, "predicted": np.float32}
    nothing |= {"rated_users": np.int32, "ranked_users": np.int32}
    given = {
        "dataset": "demo",
        "split_digest": f"digest of {protocol}, {seed}",
        "model": label,
        "settings": {},
        "retrained": False,
        "sizes": {"train": 1200, "validation": 0, "support": 0, "test": 30},
        "metrics": {"rmse": 1.0},
        "intervals": {},
        "details": {},
        "seconds": {"fit": 2.0, "rate": 0.5},
        "peak_bytes": None,
        "per_user": {},
        **{name: np.empty(0, dtype) for name, dtype in nothing.items()},
        **more,
    }
    return ModelEvaluation(label=label, seed=seed, protocol=make_protocol(protocol).record(), **given)


def figures(report):
    """All that does not depend on time or place, and the failures."""
    cells = [(one.to_dict() | {"seconds": 0, "peak_bytes": 0}, one.arrays()) for one in report.evaluations]
    return [(told, {k: v.tolist() for k, v in arrays.items()}) for told, arrays in cells], report.failures
