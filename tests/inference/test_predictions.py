"""A pair with a neighbourhood gets the mean of the models, any other one a damped mean; each says which."""

import numpy as np
import pytest

from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.serving import ServingGraph
from igmc.inference.mean_fallback import damped_means
from igmc.inference.predictions import predict_pairs
from igmc.ratings.scale import KnownScale, RatingScale

SCALE = RatingScale.fit([1, 5], known=KnownScale(1, 5))
# user 0: items 0, 1; user 1: items 0, 1; user 2 and item 2: nothing.
GRAPH = ServingGraph.of(
    BipartiteGraph.from_ratings([0, 0, 1, 1], [0, 1, 0, 1], [4, 3, 4, 0], n_users=3, n_items=3, n_levels=5)
)
USER = np.array([0, 2, 0, 1, -1, 0], np.int32)
ITEM = np.array([0, 0, 2, 1, 0, -1], np.int32)


class TwoModels:
    """Predicts 10 user + item by one model and 2 more by the other; remembers the pairs it was asked."""

    def __init__(self):
        self.asked = []

    def score(self, graph, user, item, *, deadline):
        self.asked += zip(user.tolist(), item.tolist(), strict=True)
        first = (10 * user + item).astype(np.float32)
        return np.stack([first, first + 2])


@pytest.fixture
def scorer():
    return TwoModels()


def test_models_are_asked_about_pairs_with_a_neighbourhood_only(scorer):
    score, source = predict_pairs(scorer, SCALE, GRAPH, USER, ITEM, clip=False)
    assert scorer.asked == [(0, 0), (1, 1)]
    by_model = source == "model"
    assert by_model.tolist() == [True, False, False, True, False, False]
    assert score[by_model].tolist() == [1.0, 12.0]  # the mean of 0 and 2, and of 11 and 13
    means, sources = damped_means(GRAPH, SCALE.values, USER[~by_model], ITEM[~by_model])
    assert score[~by_model].tolist() == means.tolist()
    assert source[~by_model].tolist() == sources == ["item mean", "user mean", "item mean", "user mean"]
    assert score.dtype == np.float32


def test_scores_are_moved_into_the_scale_if_asked(scorer):
    score, _ = predict_pairs(scorer, SCALE, GRAPH, USER, ITEM, clip=True)
    free, _ = predict_pairs(scorer, SCALE, GRAPH, USER, ITEM, clip=False)
    assert score.tolist() == np.clip(free, 1, 5).tolist() != free.tolist()


def test_without_fallback_only_unknown_ids_get_means(scorer):
    _, source = predict_pairs(scorer, SCALE, GRAPH, USER, ITEM, clip=True, fallback=False)
    assert scorer.asked == [(0, 0), (2, 0), (0, 2), (1, 1)]
    assert source.tolist() == ["model"] * 4 + ["item mean", "user mean"]
