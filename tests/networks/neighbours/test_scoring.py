"""The neighbours network asked on views of the graph: the same answer by every way to it."""

import numpy as np
import pytest
import torch

from igmc.errors import DataError
from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.serving import ServingGraph
from igmc.intervals import MEANS, IntervalModel
from igmc.models import NeighboursEnsemble
from igmc.networks.neighbours.scoring import NeighbourScorer, known_ratings
from igmc.ratings.scale import KnownScale, RatingScale
from tests.statistics.graphs import known_ratings as random_ratings

KNOWN = random_ratings()
SCALE = RatingScale.fit([1.0, 5.0], known=KnownScale(1, 5))
GRAPH = BipartiteGraph.from_ratings(
    KNOWN.user, KNOWN.item, SCALE.encode(KNOWN.rating), n_users=60, n_items=40, n_levels=5
)
VIEW = ServingGraph.of(GRAPH)
MINE, LEVELS = np.array([3, 9, 12]), np.array([4, 0, 3])


def make_scorer(members=2, **options):
    model = NeighboursEnsemble(members, dropout=0.1, seed=1)
    generator = torch.Generator().manual_seed(1)
    for member in model.members:
        torch.nn.init.normal_(member.head_out.weight, generator=generator)
    return NeighbourScorer([model], SCALE.values, cap=8, device=torch.device("cpu"), **options)


SCORER = make_scorer()
REST = np.setdiff1d(np.arange(40), MINE).astype(np.int32)


def test_the_ratings_of_a_graph_come_back_as_they_were():
    found = known_ratings(GRAPH, SCALE)
    pairs = dict(zip(zip(KNOWN.user.tolist(), KNOWN.item.tolist(), strict=True), KNOWN.rating, strict=True))
    again = dict(zip(zip(found.user.tolist(), found.item.tolist(), strict=True), found.rating, strict=True))
    assert pairs == again


def test_scores_depend_on_the_pair_and_not_on_its_company():
    users, items = (x.ravel().astype(np.int32) for x in np.indices((60, 40)))
    together = SCORER.score(GRAPH, users, items)
    assert together.shape == (1, 2400)
    assert together.std() > 0.3
    for p in (0, 77, 2399):
        alone = SCORER.score(GRAPH, users[p : p + 1], items[p : p + 1])
        assert alone[0, 0] == pytest.approx(together[0, p], abs=1e-5)
    assert make_scorer(threads=1).score(GRAPH, users, items) == pytest.approx(together, abs=1e-5)


@pytest.mark.parametrize("user", [60, 5])
def test_a_users_ratings_count_at_once_and_alike_for_one_item_and_all(user):
    view = VIEW.with_ratings(np.full(3, user), MINE, LEVELS, n_users=61)
    unrated = np.setdiff1d(REST, view.by_user.row(user)[0]).astype(np.int32)
    every = SCORER.score_user(VIEW, view, user, unrated)
    for k in (0, len(unrated) - 1):
        one = SCORER.score_user(VIEW, view, user, unrated[k : k + 1])
        assert one[0, 0] == pytest.approx(every[0, k], abs=1e-5)
    # Laid over both sides and every one's statistics, they come near that.
    lasting = SCORER.score(view, np.full(len(unrated), user, np.int32), unrated)
    assert np.corrcoef(every[0], lasting[0])[0, 1] > 0.95
    # Opposite ratings make an opposite list, not the same one.
    other = VIEW.with_ratings(np.full(3, user), MINE, 4 - LEVELS, n_users=61)
    assert np.abs(SCORER.score_user(VIEW, other, user, unrated) - every).max() > 0.1


def test_a_known_rating_is_not_looked_at_for_its_own_answer():
    user, item = int(KNOWN.user[100]), int(KNOWN.item[100])
    pair = np.array([user], np.int32), np.array([item], np.int32)
    got = {}
    for level in range(5):
        view = VIEW.with_ratings([user], [item], [level])
        got[level] = float(SCORER.score_user(VIEW, view, user, pair[1])[0, 0])
    assert max(got.values()) - min(got.values()) < 1e-3
    without = ServingGraph.of(VIEW.without(user, item).rebuilt())
    rebuilt = float(SCORER.score(without, *pair)[0, 0])
    assert float(SCORER.score(GRAPH, *pair)[0, 0]) == pytest.approx(rebuilt, abs=0.05)


def test_an_index_out_of_range_and_a_deadline_are_told():
    with pytest.raises(DataError, match=r"no such item in the graph; got 40; allowed: 0\.\.39"):
        SCORER.score(GRAPH, np.array([0], np.int32), np.array([40], np.int32))
    with pytest.raises(TimeoutError):
        SCORER.score(GRAPH, np.array([0], np.int32), np.array([1], np.int32), deadline=0.0)


def test_on_another_graph_the_inputs_have_the_norms_of_that_graph():
    other = SCORER.on(GRAPH, SCALE, seed=1)
    assert not np.array_equal(other.norms.pair, SCORER.norms.pair)
    assert np.array_equal(SCORER.norms.pair, SCORER.models[0].norms.pair)


def test_the_spread_of_a_pair_is_the_same_by_every_way_and_scores_are_as_without_it():
    rng = np.random.default_rng(1)
    told = 10 + 5  # inputs of a pair, and what is made of its steps
    inputs, residual = rng.normal(size=(600, told)).astype(np.float32), rng.normal(size=600)
    counts = rng.integers(0, 30, (2, 600))
    intervals = IntervalModel.fit(
        inputs, residual.astype(np.float32), *counts, dict.fromkeys(MEANS, np.ones(9, np.float32))
    )
    scorer = make_scorer(intervals=intervals)
    users = np.full(len(REST), 7, np.int32)
    together = scorer.answers(VIEW, users, REST)
    np.testing.assert_array_equal(together.score, SCORER.score(VIEW, users, REST))
    assert together.spread.scale.std() > 0.01
    assert set(together.spread.group.tolist()) <= set(range(7))
    view = VIEW.with_ratings(np.full(3, 7), MINE.astype(np.int32), LEVELS, n_users=60, n_items=40)
    own = scorer.answers(view, users, REST, known=VIEW)
    np.testing.assert_allclose(own.score, scorer.score_user(VIEW, view, 7, REST), rtol=1e-6)
    alone = scorer.answers(view, users[:1], REST[:1], known=VIEW)
    assert alone.spread.scale[0] == pytest.approx(own.spread.scale[0], rel=1e-4)
    assert scorer.with_models(scorer.models).intervals is None


def test_ratings_of_others_that_arrived_count_in_lists_as_in_the_rebuilt_graph():
    """Lists of a new user are asked on a view that others' ratings lie over, followed one by one."""
    scorer, live = make_scorer(), VIEW
    changes = [(61, item, item % 5) for item in range(0, 30, 2)] + [(5, 3, 0), (5, 11, -1), (62, 41, 4)]
    changes += [(user, 41, 4) for user in range(8)] + [(61, 41, 0)]
    for user, item, level in changes:
        before, live = live, live.changed([user], [item], [level], n_users=63, n_items=42)
        scorer.follow(before, live, np.array([user], np.int32), np.array([item], np.int32))
    mine = live.with_ratings(np.full(3, 60), MINE, LEVELS)
    asked = np.append(REST, 41).astype(np.int32)
    got = scorer.score_user(live, mine, 60, asked)
    rebuilt = ServingGraph.of(live.rebuilt())
    expected = make_scorer().score_user(
        rebuilt, rebuilt.with_ratings(np.full(3, 60), MINE, LEVELS), 60, asked
    )
    before = make_scorer().score_user(VIEW, mine, 60, asked)
    assert np.abs(got - expected).mean() < 0.3 * np.abs(before - expected).mean()
    for place in (0, len(asked) - 1):
        alone = scorer.inputs(live, mine, 60, int(asked[place]))
        assert scorer.answer(*alone)[0, 0] == pytest.approx(got[0, place], abs=1e-5)
    made_at_once = make_scorer().score_user(live, mine, 60, asked)
    assert np.abs(made_at_once - got).mean() < 0.02
