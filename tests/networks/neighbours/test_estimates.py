"""The estimates of a run: kept, made again, folded over, and blind to what is asked."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from igmc.errors import CheckpointError
from igmc.graph import BipartiteGraph, ServingGraph
from igmc.models import NeighboursEnsemble
from igmc.networks.neighbours.estimates import GraphEstimates, laid_over
from igmc.networks.neighbours.scoring import NeighbourScorer
from igmc.networks.neighbours.scoring import known_ratings as known_of
from igmc.ratings import RatingScale, RowFeatures, SideInformation
from tests.statistics.graphs import known_ratings

RATINGS = known_ratings()
NAMES = ("svdpp", "mf")
VALUES = np.arange(1.0, 6.0)
SCALE = RatingScale.fit(VALUES)
PAIR = np.array([7], np.int32), np.array([3], np.int32)


def graph(rating=RATINGS.rating):
    levels = (rating - 1).astype(np.int64)
    return BipartiteGraph.from_ratings(RATINGS.user, RATINGS.item, levels, n_users=60, n_items=40, n_levels=5)


KNOWN = known_of(graph(), SCALE)  # in the order of the graph


def scorer(path=None):
    model = NeighboursEnsemble(1, pair_width=15, dropout=0.0, seed=1)
    estimates = GraphEstimates(NAMES, 1, path)
    return NeighbourScorer([model], VALUES, cap=10, device=torch.device("cpu"), estimates=estimates)


def test_what_is_kept_answers_like_what_is_made_anew(tmp_path, monkeypatch):
    path = tmp_path / "estimates.ckpt"
    again = scorer().score(graph(), *PAIR)
    scorer(path).known.estimates.keep(KNOWN, 1)
    monkeypatch.setattr(type(KNOWN), "estimate", lambda *_, **__: pytest.fail("they are there"))
    np.testing.assert_array_equal(scorer(path).score(graph(), *PAIR), again)


def test_estimates_of_other_ratings_are_made_anew(tmp_path):
    path = tmp_path / "estimates.ckpt"
    scorer(path).known.estimates.keep(KNOWN, 1)
    other = replace(KNOWN, rating=6 - KNOWN.rating)
    found, expected = (GraphEstimates(NAMES, 1, where).of(other, 1)[0] for where in (path, None))
    np.testing.assert_array_equal(found.features(*PAIR)[0], expected.features(*PAIR)[0])


def test_a_damaged_file_is_named_with_the_remedy(tmp_path):
    path = tmp_path / "estimates.ckpt"
    scorer(path).known.estimates.keep(KNOWN, 1)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CheckpointError, match=r"estimates\.ckpt is damaged.*delete it"):
        scorer(path).score(graph(), *PAIR)


def test_a_rating_in_the_graph_does_not_tell_itself():
    """It is taken out of the vectors of its user and item; what is left is what it did to those of others.

    On ML-100K, 0.02 of a rating for each rating that it is higher; 0.10 if it were left in.
    """
    rng = np.random.default_rng(0)
    rows = rng.permutation(len(RATINGS))[:80]
    high = rng.random(80) < 0.5
    pairs = RATINGS.user[rows], RATINGS.item[rows]
    answers, blind = [], []
    for five in (high, ~high):
        rating = RATINGS.rating.copy()
        rating[rows] = np.where(five, 5.0, 1.0)
        answers.append(scorer().score(graph(rating), *pairs)[0])
        blind.append(GraphEstimates(NAMES).of(replace(RATINGS, rating=rating), 1)[0].features(*pairs)[0])
    follows, told = (np.mean((one[0] - one[1]) * np.where(high, 1, -1)) for one in (answers, blind))
    assert abs(follows) < 0.5 * told, (follows, told)


def test_a_request_and_ratings_that_last_are_answered_alike():
    found, known = scorer(), ServingGraph.of(graph())
    items = np.array([1, 4, 8], np.int32)
    more = known.with_ratings(np.full(3, 60), items, [4, 4, 0], n_users=61)
    asked = np.setdiff1d(np.arange(40, dtype=np.int32), items)
    request = found.score_user(known, more, 60, asked)
    lasting = found.score(more, np.full(len(asked), 60, np.int32), asked)
    assert request == pytest.approx(lasting, abs=0.3)
    assert np.corrcoef(request[0], lasting[0])[0, 1] > 0.95


def test_new_items_are_folded_in_too():
    found, known = scorer(), ServingGraph.of(graph())
    likes = known.with_ratings([1, 2, 3, 4], [40] * 4, [4] * 4, n_items=41)
    hates = known.with_ratings([1, 2, 3, 4], [40] * 4, [0] * 4, n_items=41)
    base = found.known.of(known)
    pair = np.array([9], np.int32), np.array([40], np.int32)
    liked, hated = (
        laid_over(base, view, VALUES, None).estimates[0].features(*pair)[0][0] for view in (likes, hates)
    )
    assert liked > hated + 0.2


def test_estimates_read_the_features_of_the_run_but_not_of_other_graphs(tmp_path):
    path, rng = tmp_path / "estimates.ckpt", np.random.default_rng(1)
    side = SideInformation(
        *(RowFeatures(rng.normal(size=(n, 3)).astype(np.float32), np.zeros(3, int)) for n in (60, 40))
    )
    plain, told = GraphEstimates(NAMES, 1, path), GraphEstimates(NAMES, 1, path, side)
    plain.keep(KNOWN, 1)
    found, expected = (estimates.of(KNOWN, 1)[0].features(*PAIR)[0] for estimates in (told, plain))
    assert found != expected, "what is kept was fitted without features"
    told.keep(KNOWN, 1)
    np.testing.assert_array_equal(told.of(KNOWN, 1)[0].features(*PAIR)[0], found)
    np.testing.assert_array_equal(told.elsewhere().of(KNOWN, 1)[0].features(*PAIR)[0], expected)
