"""An explanation in words, as a table and as JSON."""

import dataclasses
import itertools
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.inference.why.explain import explain
from igmc.inference.why.explanation import ExplainedEdge, ExplainedNode, Explanation
from tests.inference.small import GRAPH, make_scorer, predictor_of
from tests.networks.neighbours.test_scoring import GRAPH as NEIGHBOURS
from tests.networks.neighbours.test_scoring import SCORER


def told(found):
    """What the sentence of an explanation says: (user, rating, item, "raises" or "lowers", by how much)."""
    return re.findall(
        r"(user \d+)'s (\d) for (\w+(?: \d+)?) (raises|lowers) (?:the prediction|it) by (\d+\.\d{3})",
        found.sentence(),
    )


def weighs_most(found):
    """The same, worked out from the ratings of the pair's two nodes."""
    links = [edge for edge in found.edges if 0 in (edge.user, edge.item) and abs(edge.importance) >= 5e-4]
    return [
        (
            found.user_label(edge.user),
            f"{edge.rating:g}",
            found.item_label(edge.item),
            "lowers" if edge.importance < 0 else "raises",
            f"{abs(edge.importance):.3f}",
        )
        for edge in sorted(links, key=lambda edge: abs(edge.importance), reverse=True)[:3]
    ]


def in_the_tables(found):
    """The lines of both tables: a name, the rating and its signed importance."""
    cells = (re.split(r"  +", line) for line in found.format().splitlines())
    return [tuple(line[:3]) for line in cells if len(line) == 4 and line[1] != "rating"]


def check(found):
    """The sentence tells of the largest contributions and of no others, each with the sign of its table."""
    assert told(found) == weighs_most(found)
    assert found.sentence().count(" by ") == len(told(found))
    for user, rating, item, verb, size in told(found):
        name = item if user == found.user_label(0) else user
        assert (name, rating, f"{'+' if verb == 'raises' else '-'}{size}") in in_the_tables(found)
    return found


EDGES = st.dictionaries(
    st.tuples(st.integers(0, 2), st.integers(0, 2)).filter(any),  # the pair's own rating is never read
    st.tuples(st.sampled_from((1.0, 5.0)), st.floats(-2, 2) | st.sampled_from((0.0, 1e-9, -2e-4))),
)


@given(EDGES)
def test_the_sentence_tells_of_the_largest_contributions_with_their_signs(given_edges):
    check(explained(ExplainedEdge(*pair, *values) for pair, values in given_edges.items()))


@pytest.mark.parametrize("method", ["occlusion", "gradient"])
def test_it_does_so_of_what_the_papers_network_reads(method):
    predictor = predictor_of(GRAPH, make_scorer())
    kinds = set()
    for user, item in itertools.product(range(5), range(5)):
        found = check(explain(predictor, user, item, method=method))
        kinds |= {(who == f"user {user}", verb) for who, _, _, verb, _ in told(found)}
    assert len(kinds) == 4, "the user's own ratings and others', raising and lowering"


@pytest.mark.parametrize("method", ["occlusion", "gradient"])
def test_it_does_so_of_what_the_neighbours_network_reads(method):
    predictor = dataclasses.replace(predictor_of(NEIGHBOURS, SCORER, "neighbours"), info=None)
    kinds = set()
    for user, item in itertools.product(range(5), range(5)):
        found = check(explain(predictor, user, item, method=method))
        kinds |= {(who == f"user {user}", verb) for who, _, _, verb, _ in told(found)}
    assert {own for own, _ in kinds} == {True, False}
    assert {verb for _, verb in kinds} == {"raises", "lowers"}


def test_a_rating_of_the_user_that_weighs_most_comes_first():
    """Whoever disliked Film like the user and rated the item does not speak for it."""
    edges = [
        (0, 1, 1.0, -0.5),
        (1, 0, 5.0, 0.25),
        (1, 1, 1.0, 0.75),
        (2, 0, 1.0, -0.125),
        (0, 2, 5.0, 0.0625),
    ]
    found = explained(ExplainedEdge(*edge) for edge in edges)
    assert found.sentence() == (
        "What weighs most: user 1's 1 for Film lowers the prediction by 0.500; "
        "user 2's 5 for item 10 raises it by 0.250; user 3's 1 for item 10 lowers it by 0.125."
    )
    assert found.sentence() in found.format()
    assert found.to_dict()["text"] == found.sentence()


def test_where_no_rating_counts_there_is_nothing_to_tell():
    assert explained().sentence() == ""
    assert explained([ExplainedEdge(0, 1, 5.0, 4e-4), ExplainedEdge(1, 0, 5.0, 0.0)]).sentence() == ""
    assert explained([ExplainedEdge(1, 1, 5.0, 0.5)]).sentence() == ""  # in neither table
    assert "damped" in explained(source="item mean").sentence()


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
        parts=(),
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
    filed = dataclasses.replace(found, items=(ExplainedNode(1, "Wrong Trousers, The (1993)"),))
    assert filed.item_label(0) == "The Wrong Trousers (1993)"


def test_what_was_clipped_or_known_is_said():
    head = explained(known=4.0).format().splitlines()[:2]
    assert head[0].startswith("item 10, user 1: 5.00 (5.25 before it is clipped), from")
    assert head[1] == "user 1 gave it 4, which was not looked at"
    assert "clipped" not in explained(prediction=5.0).format()


def test_tables_show_what_a_rating_is_worth_and_what_is_left_without_it():
    edges = (ExplainedEdge(1, 0, 5.0, -0.5), ExplainedEdge(2, 0, 1.0, 0.25), ExplainedEdge(0, 1, 5.0, 0.125))
    lines = [line.split() for line in explained(edges).format().splitlines()]
    assert ["user", "2", "5", "-0.500", "5.75"] in lines
    assert ["user", "3", "1", "+0.250", "5.00"] in lines
    assert ["Film", "5", "+0.125", "5.12"] in lines


def test_edges_of_the_json_say_what_would_be_left():
    value = explained([ExplainedEdge(1, 2, 5.0, -0.12345678)]).to_dict()
    assert value["edges"] == [
        {"user_id": 2, "item_id": 12, "rating": 5.0, "importance": -0.123457, "without": 5.3735}
    ]
    assert value["links"] == {"considered": 2, "all": 4}
