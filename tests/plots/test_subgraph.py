"""The drawing of a subgraph shows each rating once, coloured by its value and as wide as it matters."""

import pytest
from matplotlib.colors import to_rgb

from igmc.errors import MissingExtraError
from igmc.inference.why.explanation import ExplainedEdge
from igmc.plots.style import save_figure
from igmc.plots.subgraph import _fitting, _long, subgraph_figure
from igmc.plots.subgraph_panel import SubgraphPanel
from igmc.rating_colours import ON_WHITE

EDGES = (
    ExplainedEdge(0, 1, 5.0, 0.4),
    ExplainedEdge(0, 2, 1.0, -0.2),
    ExplainedEdge(1, 0, 4.0, 0.1),
    ExplainedEdge(1, 1, 5.0, 0.0),
)


def panel(edges=EDGES, **options):
    options = {"title": "why", "levels": (1.0, 2.0, 3.0, 4.0, 5.0), "score": 4.25} | options
    return SubgraphPanel(users=("me", "user 1"), items=("Film", "One", "Two"), edges=edges, **options)


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def lines(figure, edge_count):
    """The lines of the ratings, which are drawn first, by (colour, width, dashed)."""
    found = figure.axes[0].lines[:edge_count]
    return [(to_rgb(x.get_color()), x.get_linewidth(), x.get_linestyle() != "-") for x in found]


def test_each_rating_is_a_line_with_its_colour_width_and_sign():
    figure = subgraph_figure([panel()])
    zero, small, middle, large = lines(figure, 4)  # the least important first
    assert [line[2] for line in (zero, small, middle, large)] == [False, False, True, False]
    assert zero[0] == large[0] != middle[0]  # 5 and 5, but 1
    thin = zero[1]
    assert [line[1] - thin for line in (small, middle, large)] == pytest.approx(
        [(large[1] - thin) * share for share in (0.25, 0.5, 1.0)]
    )
    shown = texts(figure)
    assert {"me", "user 1", "Film", "One", "Two", "why", "predicted: 4.25"} <= set(shown)
    assert {"+0.40", "\N{MINUS SIGN}0.20", "+0.10", "raises", "lowers"} <= set(shown)
    assert {"1", "2", "3", "4", "5", "rating", "importance", "0.4", "0.2", "0.04"} <= set(shown)


def test_ratings_have_the_colours_of_the_page():
    edges = [ExplainedEdge(0, 1, float(level), 0.1) for level in range(1, 6)]
    colours = [line[0] for line in lines(subgraph_figure([panel(edges)]), 5)]
    assert colours == [to_rgb(colour) for colour in ON_WHITE]


def test_panels_of_one_measure_share_their_widths_and_another_has_its_own():
    weak = panel([ExplainedEdge(0, 1, 5.0, 0.1)])
    weights = panel([ExplainedEdge(0, 1, 5.0, 0.9)], measure="attention", score=None)
    figure = subgraph_figure([panel(), weak, weights])
    widths = [line.get_linewidth() for line in figure.axes[0].lines if line.get_zorder() == 1]
    assert widths.count(max(widths)) == 2  # 0.4 of importance, 0.9 of attention
    assert "attention" in texts(figure)
    assert texts(figure).count("predicted: 4.25") == 2
    assert "0.90" in texts(figure)
    alone = subgraph_figure([panel()])
    assert figure.get_size_inches()[1] > 2 * alone.get_size_inches()[1]


def test_all_stands_within_the_page_and_labels_within_their_boxes(tmp_path):
    names = ("A very long title of a film that goes on and on: part $2 of $3 (1999)",) * 13
    edges = [ExplainedEdge(0, k, 1.0, -0.004) for k in range(1, 13)] + [
        ExplainedEdge(k, 0, 1.0, 0.004) for k in range(1, 13)
    ]
    users = tuple(f"user {k}00000000000" for k in range(13))
    figure = subgraph_figure([SubgraphPanel("title", users, names, edges, (1.0, 5.0), 1.0)])
    save_figure(figure, tmp_path / "x")
    width, height = figure.bbox.width, figure.bbox.height
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        assert 0 <= box.x0 <= box.x1 <= width, text.get_text()
        assert 0 <= box.y0 <= box.y1 <= height, text.get_text()
    assert any(text.endswith("…") for text in texts(figure))
    assert "+0.004" in texts(figure)


def test_many_levels_get_a_band_and_no_neighbours_are_no_error(tmp_path):
    levels = tuple(float(k) for k in range(1, 72))
    edges = [ExplainedEdge(0, 1, 35.0, 1.0)]
    figure = subgraph_figure([panel(edges, levels=levels)])
    assert {"1", "71"} <= set(texts(figure))
    assert "35" not in texts(figure)
    alone = SubgraphPanel("t", ("me",), ("Film",), (), (3.0,), None)
    save_figure(subgraph_figure([alone]), tmp_path / "alone")


def test_a_long_title_loses_its_year_first():
    names = ("Film", "One Flew Over the Cuckoo's Nest (1975)", "Two (1999)")
    shown = texts(subgraph_figure([SubgraphPanel("t", ("me", "user 1"), names, EDGES, (1.0, 5.0), 1.0)]))
    assert {"One Flew Over the Cuckoo's Nest", "Two (1999)"} <= set(shown)


def test_what_does_not_fit_is_cut():
    assert _fitting("short", 2.0, 7) == "short"
    cut = _fitting("a long text that has no end", 0.8, 7)
    assert cut.endswith("…")
    assert _long(cut, 7) <= 0.8
    assert _long("", 7) == 0.0


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'igmc\[plot\]'"):
        subgraph_figure([panel()])
