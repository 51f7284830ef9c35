"""The panel of an explanation holds its labels and ratings, and says what was read off what."""

import pytest

from igmc.inference.why.explanation import ExplainedEdge, ExplainedNode, Explanation
from igmc.plots.subgraph_panel import SubgraphPanel, explanation_panel

EDGES = (ExplainedEdge(0, 1, 5.0, 0.25), ExplainedEdge(1, 0, 1.0, -0.5))


def explained(**options):
    options = {"source": "model", "known": None, "users": (ExplainedNode(None), ExplainedNode(7))} | options
    return Explanation(
        score=4.0,
        prediction=4.25,
        method="occlusion",
        items=(ExplainedNode("a", "Film"), ExplainedNode("b")),
        edges=EDGES,
        n_users=3,
        n_items=4,
        n_ratings=1000,
        n_considered=2,
        n_links=2,
        parts=(),
        levels=(1.0, 5.0),
        **options,
    )


def test_it_shows_the_ratings_among_labelled_nodes():
    assert explanation_panel(explained(), "(a) why") == SubgraphPanel(
        title="(a) why",
        users=("the new user", "user 7"),
        items=("Film", "item b"),
        edges=EDGES,
        levels=(1.0, 5.0),
        score=4.0,
        measure="importance",
    )


@pytest.mark.parametrize(
    ("options", "title"),
    [
        ({}, "4.00 predicted, from 1,000 ratings by 3 users of 4 items"),
        ({"known": 2.0}, "4.00 predicted, from 1,000 ratings by 3 users of 4 items (2 given, not looked at)"),
        ({"source": "item mean"}, "4.00 predicted, a damped item mean"),
    ],
)
def test_without_a_title_it_tells_the_prediction_and_its_origin(options, title):
    assert explanation_panel(explained(**options)).title == title
