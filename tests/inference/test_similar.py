"""Items like another one, by hand: three raters, and the damping by their number."""

from types import SimpleNamespace

import numpy as np
import pytest

from igmc.errors import ConfigError
from igmc.graph import BipartiteGraph, ServingGraph
from igmc.inference.mean_fallback import DAMPING
from igmc.inference.similar import similar_items
from igmc.ratings import IdTable, RatingScale

RATINGS = np.array([[5, 5, 1, 1], [1, 1, 5, 0], [4, 0, 0, 2]])  # users, items; 0 is none


@pytest.fixture
def known():
    user, item = np.nonzero(RATINGS)
    scale = RatingScale.fit([1, 2, 3, 4, 5])
    graph = BipartiteGraph.from_ratings(
        user.astype(np.int32),
        item.astype(np.int32),
        scale.encode(RATINGS[user, item]),
        n_users=3,
        n_items=4,
        n_levels=5,
    )
    return SimpleNamespace(
        graph=ServingGraph.of(graph), scale=scale, items=IdTable(("a", "b", "c", "d")), info=None
    )


def test_similarity_is_the_damped_adjusted_cosine(known):
    found = similar_items(known, 0, 10)
    means = [3, 7 / 3, 3]
    expected = {}
    for j, name in ((1, "b"), (2, "c"), (3, "d")):
        both = [v for v in range(3) if RATINGS[v, 0] and RATINGS[v, j]]
        mine = np.array([RATINGS[v, 0] - means[v] for v in both])
        other = np.array([RATINGS[v, j] - means[v] for v in both])
        cosine = mine @ other / np.sqrt(mine @ mine * (other @ other))
        expected[name] = cosine * len(both) / (len(both) + DAMPING)
    assert found["item_id"].tolist() == sorted(expected, key=lambda name: -expected[name])
    np.testing.assert_allclose(found["similarity"], sorted(expected.values(), reverse=True))
    assert dict(zip(found["item_id"], found["raters"], strict=True)) == {"b": 2, "c": 2, "d": 2}
    assert found["rank"].tolist() == [1, 2, 3]
    assert similar_items(known, 0, 1)["item_id"].tolist() == ["b"]


@pytest.mark.parametrize("k", [0, -1, 1.0, True])
def test_a_length_that_is_none_is_refused(known, k):
    with pytest.raises(ConfigError, match="length of a list is out of range"):
        similar_items(known, 0, k)
