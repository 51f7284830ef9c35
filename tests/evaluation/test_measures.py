"""Metrics by user become means and intervals."""

import numpy as np

from igmc.evaluation.measures import Measures
from igmc.evaluation.metrics import PerUser, bootstrap_interval


def test_metrics_by_user_are_added_with_their_means_and_intervals():
    found = Measures(metrics={"rmse": 1.0})
    values = np.array([0.0, 0.5, 1.0, 1.0])
    found.add(PerUser(np.arange(4, dtype=np.int32), {"ndcg@5": values}), seed=3)
    assert found.metrics == {"rmse": 1.0, "ndcg@5": 0.625}
    interval = bootstrap_interval(values, seed=3)
    assert found.intervals == {"ndcg@5": (interval.low, interval.high)}
    np.testing.assert_array_equal(found.per_user["ndcg@5"], values)


def test_one_user_has_no_interval():
    found = Measures()
    found.add(PerUser(np.zeros(1, np.int32), {"mrr@5": np.ones(1)}), seed=3)
    assert found.metrics == {"mrr@5": 1.0}
    assert found.intervals == {}
