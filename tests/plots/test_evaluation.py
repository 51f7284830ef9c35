"""Models side by side: each point and line is a figure and its interval, the best on top."""

import sys

import pytest

from igmc.errors import MissingExtraError
from igmc.plots.evaluation import Estimate, ModelPanel, model_figure

ESTIMATES = (Estimate("igmc", 0.9, 0.85, 0.95), Estimate("mf", 0.92), Estimate("means", 1.1, 1.0, 1.25))
PANEL = ModelPanel("demo, transductive", "RMSE (lower is better)", ESTIMATES)


def test_points_and_intervals_are_the_figures_the_first_on_top():
    (axes,) = model_figure([PANEL]).axes
    points = {line.get_ydata()[0]: line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"}
    assert points == {3: 0.9, 2: 0.92, 1: 1.1}
    spans = {line.get_ydata()[0]: list(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2}
    assert spans == {3: [0.85, 0.95], 1: [1.0, 1.25]}  # none where there is no interval
    labels = {
        tick: text.get_text() for tick, text in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
    }
    assert labels == {3: "igmc", 2: "mf", 1: "means"}
    assert (axes.get_title(loc="left"), axes.get_xlabel()) == (PANEL.title, PANEL.metric)


def test_two_panels_stand_in_a_row_and_an_empty_place_shows_nothing():
    figure = model_figure([PANEL] * 3)
    assert [axes.axison for axes in figure.axes] == [True, True, True, False]
    one = model_figure([PANEL]).get_size_inches()
    assert tuple(figure.get_size_inches()) == pytest.approx((2 * one[0], 2 * one[1]))


def test_a_panel_is_as_high_as_its_models_are_many():
    many = ModelPanel("t", "m", [Estimate(f"model {k}", float(k)) for k in range(20)])
    assert model_figure([many]).get_size_inches()[1] > 2 * model_figure([PANEL]).get_size_inches()[1]


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'igmc\[plot\]'"):
        model_figure([PANEL])
