"""An explanation in words, as a table and as JSON."""

import dataclasses
import json

import pytest

from igmc.inference.why.explain import explain
from igmc.inference.why.explanation import ExplainedEdge, ExplainedNode, Explanation
from tests.inference.small import GRAPH, Telling, make_scorer, predictor_of


def test_the_sentence_tells_who_agreed():
    """Users 1 and 2 gave 5 to items 1 and 2 as user 0 did; what they gave item 0 differs."""
    rows = [(0, 1, 4), (0, 2, 4), (0, 3, 0)]
    rows += [(1, 1, 4), (1, 2, 4), (1, 0, 3), (2, 1, 4), (2, 2, 4), (2, 0, 3), (3, 3, 4), (3, 0, 0)]
    graph = type(GRAPH).from_ratings(*zip(*rows, strict=True), n_users=4, n_items=4, n_levels=5)
    found = explain(predictor_of(graph, make_scorer([Telling(level=3)])), 0, 0)
    assert found.sentence() == (
        "Of those who matter most, 2 people who, like user 0, gave 5 to film 1 and film 2 gave film 0 4, "
        "which raises the prediction."
    )
    assert found.sentence() in found.format()
    assert found.to_dict()["text"] == found.sentence()
    alone = explain(predictor_of(graph, make_scorer([Telling(level=0)])), 0, 0)
    assert alone.sentence() == (
        "Of those who matter most, one person gave film 0 1, which raises the prediction."
    )
    line = next(line for line in found.format().splitlines() if line.startswith("user 1 "))
    assert line.split() == ["user", "1", "4", "+0.750", "3.75"]


def test_json_says_all_by_raw_ids():
    found = explain(predictor_of(GRAPH, make_scorer()), 4, 7, top=2)
    value = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (value["user_id"], value["item_id"], value["title"]) == (4, 7, "film 7")
    assert [(n["side"], n["role"]) for n in value["nodes"]] == [
        *(("user", role) for role in ("target", "neighbour", "neighbour")),
        *(("item", role) for role in ("target", "neighbour", "neighbour")),
    ]
    for edge, found_edge in zip(value["edges"], found.edges, strict=True):
        assert edge["user_id"] == found.users[found_edge.user].id
        assert edge["without"] == pytest.approx(found.prediction - found_edge.importance, abs=1e-4)
    assert value["levels"] == [1, 2, 3, 4, 5]
    assert value["subgraph"] == {"users": found.n_users, "items": found.n_items, "ratings": found.n_ratings}


def test_control_characters_of_a_title_reach_no_terminal():
    predictor = predictor_of(GRAPH, make_scorer())
    titles = ("\x1b[31mred",) * 15
    shady = dataclasses.replace(predictor, info=dataclasses.replace(predictor.info, titles=titles))
    assert "\x1b" not in explain(shady, 4, 7).format()


def explained(edges=(), **options):
    """An explanation that somebody made up: users 1, 2 and 3; items 10, "Film" and 12."""
    options = {"score": 5.0, "prediction": 5.25, "source": "model", "known": None} | options
    return Explanation(
        method="occlusion",
        users=tuple(ExplainedNode(raw) for raw in (1, 2, 3)),
        items=(ExplainedNode(10), ExplainedNode(11, "Film"), ExplainedNode(12)),
        edges=tuple(edges),
        n_users=1234,
        n_items=5,
        n_ratings=6789,
        n_considered=2,
        n_links=4,
        levels=(1.0, 5.0),
        **options,
    )


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("model", "from 6,789 ratings by 1,234 users of 5 items"),
        ("user mean", "a damped user mean"),
        ("global mean", "a damped global mean"),
    ],
)
def test_the_origin_is_told(source, words):
    found = explained(source=source)
    assert found.origin() == words
    assert found.format().splitlines()[0].endswith(words)


def test_labels_are_titles_where_there_are_any():
    found = explained()
    assert [found.item_label(at) for at in range(3)] == ["item 10", "Film", "item 12"]
    assert found.user_label(1) == "user 2"
    nobody = dataclasses.replace(found, users=(ExplainedNode(None),))
    assert nobody.user_label(0) == "the new user"


def test_what_was_clipped_or_known_is_said():
    head = explained(known=4.0).format().splitlines()[:2]
    assert head[0].startswith("item 10, user 1: 5.00 (5.25 before it is clipped), from")
    assert head[1] == "user 1 gave it 4, which was not looked at"
    assert "clipped" not in explained(prediction=5.0).format()


def test_a_rating_of_one_level_that_weighs_most_is_told_and_lowers():
    edges = (ExplainedEdge(1, 0, 5.0, -0.5), ExplainedEdge(2, 0, 1.0, 0.25), ExplainedEdge(0, 1, 5.0, 0.125))
    found = explained(edges)
    assert found.sentence() == (
        "Of those who matter most, one person gave item 10 5, which lowers the prediction."
    )
    raters = found.format().splitlines()
    table = [line.split() for line in raters if line.startswith("user ") and "rating" not in line]
    assert ["user", "2", "5", "-0.500", "5.75"] in table
    assert ["user", "3", "1", "+0.250", "5.00"] in table
    assert explained((ExplainedEdge(0, 1, 5.0, 0.5),)).sentence() == ""  # nobody rated the item


def test_edges_of_the_json_say_what_would_be_left():
    value = explained([ExplainedEdge(1, 2, 5.0, -0.12345678)]).to_dict()
    assert value["edges"] == [
        {"user_id": 2, "item_id": 12, "rating": 5.0, "importance": -0.123457, "without": 5.3735}
    ]
    assert value["links"] == {"considered": 2, "all": 4}
