"""An explanation names the ratings that matter: those without which the prediction would be another."""

import itertools
import json
from types import SimpleNamespace

import numpy as np
import pytest

from igmc.errors import ConfigError, DataError
from igmc.graph.kernel import extract_subgraphs
from igmc.graph.serving import ServingGraph
from igmc.inference.why.explain import explain
from igmc.networks.rgcn import scoring
from igmc.networks.rgcn.importance import edge_users, gradients, occlusion
from tests.inference.small import GRAPH, MODELS, SCALE, Telling, make_scorer, predictor_of


@pytest.mark.parametrize(("method", "measure"), [("occlusion", occlusion), ("gradient", gradients)])
def test_where_models_read_samples_of_their_own_a_rating_matters_by_the_mean_over_them(method, measure):
    scorer = make_scorer(cap=4)
    found = explain(predictor_of(GRAPH, scorer), 4, 7, method=method, top=100)
    cut = scorer.cut(GRAPH, [4], [7])
    worth = {}
    for k, subgraph in enumerate(cut):
        users = subgraph.user_id[edge_users(subgraph)].tolist()
        items = subgraph.item_id[subgraph.edge_item].tolist()
        for user, item, value in zip(users, items, measure(scorer.only(k), subgraph), strict=True):
            worth[user, item] = worth.get((user, item), 0) + value / len(cut)
    assert len(worth) > max(one.n_edges for one in cut)  # the samples differ
    shown = {(found.users[edge.user].id, found.items[edge.item].id): edge.importance for edge in found.edges}
    # What stands among those shown in the graph, but in no sample, is not read and not shown.
    assert shown == {pair: pytest.approx(value, abs=1e-6) for pair, value in worth.items()}
    assert (found.n_users, found.n_items) == tuple(len({pair[k] for pair in worth}) for k in (0, 1))
    assert found.n_ratings == len(worth)
    links = {pair for pair in worth if pair[0] == 4 or pair[1] == 7}
    assert (found.n_links, found.n_considered) == (len(links), len(links))


def test_of_several_samples_too_a_limit_leaves_the_choice_to_the_gradient():
    predictor = predictor_of(GRAPH, make_scorer(cap=4))
    steep = explain(predictor, 4, 7, method="gradient", top=100)
    ranked = [edge for edge in steep.edges if 0 in (edge.user, edge.item)]
    few = explain(predictor, 4, 7, top=100, limit=3)
    ends = {(steep.users[edge.user].id, steep.items[edge.item].id) for edge in ranked[:3]}
    assert {node.id for node in few.users} == {user for user, _ in ends} | {4}
    assert {node.id for node in few.items} == {item for _, item in ends} | {7}
    assert (few.n_considered, few.n_links) == (3, steep.n_links)
    whole = explain(predictor, 4, 7, top=100)
    exact = {(whole.users[e.user].id, whole.items[e.item].id): e.importance for e in whole.edges}
    for edge in few.edges:
        assert exact[few.users[edge.user].id, few.items[edge.item].id] == edge.importance


def test_the_informative_ratings_are_found_with_what_they_are_worth():
    scorer = make_scorer([Telling(level=4)])
    own, levels = ServingGraph.of(GRAPH).by_user.row(4)
    liked = set(own[(levels == 4) & (own != 7)].tolist())
    raters, levels = ServingGraph.of(GRAPH).by_item.row(7)
    fans = set(raters[(levels == 4) & (raters != 4)].tolist())
    assert liked
    assert fans
    for method in ("occlusion", "gradient"):
        found = explain(predictor_of(GRAPH, scorer), 4, 7, method=method, top=max(len(liked), len(fans)))
        assert {node.id for node in found.items[1 : len(liked) + 1]} == liked
        assert {node.id for node in found.users[1 : len(fans) + 1]} == fans
        telling = [edge for edge in found.edges if edge.importance]
        assert len(telling) == len(liked) + len(fans)
        assert {edge.importance for edge in telling} == {0.75}
        assert all(edge.rating == 5 and 0 in (edge.user, edge.item) for edge in telling)
        assert found.prediction == 3 + 0.75 * len(telling)


def test_what_is_shown_is_what_the_predictor_answers_and_knows():
    predictor = predictor_of(GRAPH, make_scorer(cap=6).only(0))
    found = explain(predictor, 4, 7, top=3)
    predicted = predictor.predict([4], [7])
    assert found.score == predicted.score[0]
    assert found.source == predicted.source[0] == "model"
    assert found.users[0].id == 4
    assert (found.items[0].id, found.items[0].title) == (7, "film 7")
    assert len(found.users) == len(found.items) == 4
    subgraph = extract_subgraphs(GRAPH, [4], [7], predictor.scorer.extract, seed=3)
    assert (found.n_users, found.n_items, found.n_ratings) == (7, 6, subgraph.n_edges)
    view, seen = ServingGraph.of(GRAPH), set()
    for edge in found.edges:
        user, item = found.users[edge.user].id, found.items[edge.item].id
        items, levels = view.by_user.row(user)
        assert edge.rating == SCALE.values[levels[items == item][0]]
        seen.add((user, item))
    ids = [{node.id for node in side} for side in (found.users, found.items)]
    among = {(u, i) for u in ids[0] for i in view.by_user.row(u)[0].tolist() if i in ids[1]} - {(4, 7)}
    assert seen == among  # all ratings among those shown, and never the pair's own
    importance = [abs(edge.importance) for edge in found.edges]
    assert importance == sorted(importance, reverse=True)


def test_the_most_important_neighbours_come_first_and_a_limit_leaves_the_choice_to_the_gradient():
    predictor = predictor_of(GRAPH, make_scorer())
    found = explain(predictor, 4, 7, top=100)
    subgraph = extract_subgraphs(GRAPH, [4], [7], predictor.scorer.extract, seed=3)
    user = edge_users(subgraph)
    links = np.flatnonzero((user == 0) | (subgraph.edge_item == 0))
    worth = np.abs(occlusion(predictor.scorer, subgraph, links))
    ranked = links[np.argsort(-worth, kind="stable")]
    expected = subgraph.user_id[user[ranked[subgraph.edge_item[ranked] == 0]]].tolist()
    assert [node.id for node in found.users[1:]] == expected
    assert (found.n_considered, found.n_links) == (len(links), len(links))
    few = explain(predictor, 4, 7, top=100, limit=4)
    assert (few.n_considered, few.n_links) == (4, len(links))
    steep = np.argsort(-np.abs(gradients(predictor.scorer, subgraph)[links]), kind="stable")[:4]
    chosen = links[steep]
    assert {n.id for n in few.users[1:]} == set(subgraph.user_id[user[chosen][user[chosen] > 0]].tolist())
    assert [len(side) for side in (explain(predictor, 4, 7, top=1).users, found.users)] == [
        2,
        len(expected) + 1,
    ]


def test_a_newcomers_ratings_count():
    predictor = predictor_of(GRAPH, make_scorer()).add_ratings(
        {"user_id": [3], "item_id": ["extra"], "rating": [5]}
    )
    ratings = {1: 5, 2: 1, "extra": 4}
    found = explain(predictor, None, 7, ratings=ratings, top=100)
    assert found.score == predictor.score_user(ratings, [7]).score[0]
    assert found.users[0].id is None
    assert {node.id for node in found.items} == {7, 1, 2, "extra"}
    assert [node.title for node in found.items if node.id == "extra"] == [""]
    assert "what the new user rated" in found.format()
    again = explain(predictor, 4, 7, ratings={7: 2})
    assert again.known == 2.0
    assert again.score == explain(predictor, 4, 7).score  # the pair's own rating is not looked at


@pytest.mark.parametrize(
    ("user", "item", "ratings", "source", "words"),
    [
        (4, 15, None, "user mean", "the mean of what user 4 gave, damped, stands in"),
        (99, 7, {}, "item mean", "the mean of what film 7 got, damped, stands in"),
        (None, 15, {}, "global mean", "the mean of all ratings stands in"),
    ],
)
def test_without_a_neighbourhood_the_mean_that_stands_in_is_named(user, item, ratings, source, words):
    graph = ServingGraph.of(GRAPH).with_ratings([], [], [], n_users=20, n_items=16)  # one that nobody rated
    found = explain(predictor_of(graph.rebuilt(), make_scorer()), user, item, ratings=ratings)
    assert found.source == source
    assert words in found.format()
    assert (found.edges, found.n_ratings) == ((), 0)
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_run_folder_will_do(demo_run, predictor):
    pair = predictor.users.ids[3], predictor.items.ids[5]
    assert explain(demo_run, *pair, top=4).to_dict() == explain(predictor, *pair, top=4).to_dict()


def test_what_cannot_be_explained_is_said():
    predictor = predictor_of(GRAPH, make_scorer())
    with pytest.raises(
        ConfigError, match=r"ExplainConfig.method .*; got 'shap'; allowed: .*occlusion.*gradient"
    ):
        explain(predictor, 4, 7, method="shap")
    for wrong in ({"top": 0}, {"limit": 0}):
        with pytest.raises(ConfigError, match=rf"ExplainConfig.{next(iter(wrong))} is out of range; got 0"):
            explain(predictor, 4, 7, **wrong)
    with pytest.raises(ConfigError, match="no user to explain for"):
        explain(predictor, None, 7)
    with pytest.raises(DataError, match="a rating is not on the scale; got 9"):
        explain(predictor, None, 7, ratings={1: 9})
    with pytest.raises(DataError, match=r"this item is unknown; got 99; .*ids are 0\.\.14"):
        explain(predictor, 4, 99)
    with pytest.raises(DataError, match=r"this user is unknown; got 99; .*or give the ratings"):
        explain(predictor, 99, 7)
    with pytest.raises(DataError, match=r"the run does not know a rated item; got 99"):
        explain(predictor, None, 7, ratings={99: 4})


@pytest.mark.parametrize("limit", [1000, 3])
def test_the_deadline_holds_for_each_rating_that_is_left_out(limit, monkeypatch):
    clock = itertools.count()
    monkeypatch.setattr(scoring, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    predictor = predictor_of(GRAPH, make_scorer(MODELS[:1]))
    whole = explain(predictor, 4, 7, top=2, limit=limit, deadline=10_000)
    assert len(whole.edges) > 2
    looks = next(clock)
    assert looks == 3, "at the prediction, the neighbours' ratings and the others shown"
    for deadline in range(looks):
        clock = itertools.count(1)
        with pytest.raises(TimeoutError):
            explain(predictor, 4, 7, top=2, limit=limit, deadline=deadline)
        assert next(clock) == deadline + 2
