"""A pair with a neighbourhood gets the mean of the models, any other one a damped mean; each says which."""

import numpy as np
import pytest

from igmc.errors import ConfigError
from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.serving import ServingGraph
from igmc.inference.mean_fallback import damped_means
from igmc.inference.predictions import predict_pairs
from igmc.networks import Answers
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
    score, source, *_ = predict_pairs(scorer, SCALE, GRAPH, USER, ITEM, clip=False)
    assert scorer.asked == [(0, 0), (1, 1)]
    by_model = source == "model"
    assert by_model.tolist() == [True, False, False, True, False, False]
    assert score[by_model].tolist() == [1.0, 12.0]  # the mean of 0 and 2, and of 11 and 13
    means, sources = damped_means(GRAPH, SCALE.values, USER[~by_model], ITEM[~by_model])
    assert score[~by_model].tolist() == means.tolist()
    assert source[~by_model].tolist() == sources == ["item mean", "user mean", "item mean", "user mean"]
    assert score.dtype == np.float32


def test_scores_are_moved_into_the_scale_if_asked(scorer):
    score, *_ = predict_pairs(scorer, SCALE, GRAPH, USER, ITEM, clip=True)
    free, *_ = predict_pairs(scorer, SCALE, GRAPH, USER, ITEM, clip=False)
    assert score.tolist() == np.clip(free, 1, 5).tolist() != free.tolist()


def test_without_fallback_only_unknown_ids_get_means(scorer):
    _, source, *_ = predict_pairs(scorer, SCALE, GRAPH, USER, ITEM, clip=True, fallback=False)
    assert scorer.asked == [(0, 0), (2, 0), (0, 2), (1, 1)]
    assert source.tolist() == ["model"] * 4 + ["item mean", "user mean"]


class Uncertain(TwoModels):
    """The same with intervals that reach the scale of a pair to either side, whatever is asked."""

    class Intervals:
        def half_width(self, spread, coverage):
            return spread.scale * np.where(spread.group < 7, 1, spread.group) * coverage

    intervals = Intervals()

    def answers(self, graph, user, item, *, known=None, time=None, deadline=0.0):
        found = Answers.room(2, len(user))
        found.score[:] = self.score(graph, user, item, deadline=deadline)
        found.spread.scale[:] = 3
        return found


def test_bounds_stand_around_the_score_within_the_scale():
    found = predict_pairs(Uncertain(), SCALE, GRAPH, USER, ITEM, clip=False, coverage=0.5)
    by_model = found.source == "model"
    assert found.low[by_model].tolist() == [1.0, 5.0]
    assert found.high[by_model].tolist() == [2.5, 5.0]
    assert (found.low[~by_model] == 1).all(), "the groups of means are beyond those of models"
    assert set(found.columns()) == {"score", "source", "low", "high"}


def test_a_scorer_without_intervals_gives_no_bounds(scorer):
    found = predict_pairs(scorer, SCALE, GRAPH, USER, ITEM, clip=False)
    assert (found.low, found.high) == (None, None)
    assert set(found.columns()) == {"score", "source"}


def test_a_coverage_that_is_no_probability_is_refused(scorer):
    with pytest.raises(ConfigError, match="coverage is out of range"):
        predict_pairs(scorer, SCALE, GRAPH, USER, ITEM, clip=False, coverage=1.0)
