"""Curves stand where their numbers say, with their bands, and one label looks the same everywhere."""

import pytest

from igmc.plots.curves import Curve, CurvePanel, curve_figure
from igmc.plots.style import save_figure

pytest.importorskip("matplotlib")

FIRST = CurvePanel(
    "ml_100k",
    "support ratings",
    "RMSE (lower is better)",
    ["0", "1", "10"],
    [
        Curve("biases", [0, 1, 2], [1.0, 0.99, 0.98], [0.9, 0.9, 0.9], [1.1, 1.1, 1.1]),
        Curve("igmc", [1, 2], [0.97, 0.95]),
    ],
)
SECOND = CurvePanel(
    "ml_1m", "support ratings", "RMSE (lower is better)", ["0", "1", "10"], FIRST.curves[::-1]
)


def test_lines_stand_at_their_steps_and_bands_where_they_are_given():
    [axes] = curve_figure([FIRST]).axes
    biases, igmc = axes.get_lines()
    assert biases.get_xydata().tolist() == [[0, 1.0], [1, 0.99], [2, 0.98]]
    assert igmc.get_xydata().tolist() == [[1, 0.97], [2, 0.95]]
    [band] = axes.collections
    corners = band.get_paths()[0].vertices
    assert (corners[:, 1].min(), corners[:, 1].max()) == (0.9, 1.1)
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0", "1", "10"]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left")) == (
        "support ratings",
        "RMSE (lower is better)",
        "ml_100k",
    )


def test_a_label_looks_the_same_in_every_panel_and_stands_once_in_the_legend():
    figure = curve_figure([FIRST, SECOND])
    first, second = figure.axes
    for one, other in zip(first.get_lines(), second.get_lines()[::-1], strict=True):
        for name in ("color", "linestyle", "marker"):
            assert getattr(one, f"get_{name}")() == getattr(other, f"get_{name}")()
    assert len({line.get_color() for line in first.get_lines()}) == 2
    [legend] = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["biases", "igmc"]


def test_an_odd_panel_leaves_its_place_empty_and_the_figure_is_written(tmp_path):
    figure = curve_figure([FIRST, SECOND, FIRST])
    assert [axes.axison for axes in figure.axes] == [True, True, True, False]
    png, svg = save_figure(figure, tmp_path / "curves")
    assert png.stat().st_size > 10_000
    assert b"<svg" in svg.read_bytes()
