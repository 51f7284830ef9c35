"""The figures of a data set show its numbers, with their units on the axes."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from igmc.errors import MissingExtraError
from igmc.plots.data import describe_figures
from igmc.plots.style import save_figure
from igmc.ratings.dataset import Dataset, ReadReport
from igmc.ratings.demo.dataset import make_demo
from igmc.ratings.description.measure import describe
from igmc.ratings.ids import IdTable
from igmc.ratings.table import RatingTable

DAY = 86_400


def data(rating, time=None):
    """User k rates items 0..k, in this order, as often as there are ratings."""
    user, item = np.tril_indices(50)
    n = len(rating)
    user, item = user[:n].astype(np.int32), item[:n].astype(np.int32)
    ids = [IdTable(tuple(range(int(side.max()) + 2))) for side in (user, item)]
    return Dataset("made", RatingTable(*ids, user, item, rating, time), ReadReport("made", n))


def test_demo_has_all_panels_and_its_own_numbers():
    demo = make_demo()
    figures = describe_figures(demo)
    assert list(figures) == ["overview", "genres"]
    ratings, activity, time = figures["overview"].axes
    page = describe(demo)
    heights = [bar.get_height() for bar in ratings.patches]
    assert heights == pytest.approx([100 * b.count / 12_000 for b in page.rating.bins])
    assert sum(heights) == pytest.approx(100)
    assert time.patches[0].get_data().values.sum() == 12_000
    assert [label.get_text() for label in activity.get_legend().get_texts()] == ["users", "items"]
    for panel in figures["overview"].axes:
        assert panel.get_xlabel()
        assert panel.get_ylabel()
        assert panel.get_title(loc="left")[:3] in ("(a)", "(b)", "(c)")
    bars = [bar.get_width() for bar in figures["genres"].axes[0].patches]
    assert bars == pytest.approx(
        [100 * g.rating_share for g in page.genres] + [100 * g.item_share for g in page.genres]
    )


def test_activity_is_the_share_with_at_least_n_ratings():
    # Users 0, 1 and 2 have 1, 2 and 3 ratings; so have items 2, 1 and 0; a fourth of each has none.
    users, items = describe_figures(data([1.0] * 6))["overview"].axes[1].lines
    for line in (users, items):
        assert line.get_xdata().tolist() == [1, 2, 3]
        assert line.get_ydata() == pytest.approx([1, 2 / 3, 1 / 3])


def test_ratings_of_many_values_are_drawn_as_a_histogram():
    ratings = describe_figures(data(np.arange(100) / 10))["overview"].axes[0]
    assert ratings.patches[0].get_data().values.tolist() == [5.0] * 20, "per cent"


@pytest.mark.parametrize(
    ("days", "unit", "bars"),
    [(0, "day", 1), (99, "day", 100), (100, "week", 15), (800, "month", 27), (20_000, "year", 55)],
)
def test_time_is_cut_into_the_finest_unit_that_fits(days, unit, bars, tmp_path):
    time = (np.array([0, 0, 0, days, days, days]) - 7 * 1461) * DAY  # 28 years before 1970
    figure = describe_figures(data([1.0] * 6, time))["overview"]
    assert figure.axes[2].get_ylabel() == f"ratings a {unit}"
    steps = figure.axes[2].patches[0].get_data()
    assert len(steps.values) == bars
    assert steps.values[0] == (3 if days else 6)
    assert all(path.stat().st_size > 1000 for path in save_figure(figure, tmp_path / "x"))


def test_unknown_times_are_told_and_without_any_there_is_no_panel():
    time = np.array([-1, -1, -1, DAY, DAY, DAY])
    panels = describe_figures(data([1.0] * 6, time))["overview"].axes
    assert panels[2].get_xlabel() == "time (UTC, known of 50%)"
    assert panels[2].patches[0].get_data().values.tolist() == [3]
    for nothing in (None, np.full(6, -1)):
        figures = describe_figures(data([1.0] * 6, nothing))
        assert list(figures) == ["overview"]
        assert len(figures["overview"].axes) == 2


def test_without_genres_there_is_no_figure_of_them():
    demo = make_demo()
    without = replace(demo, item_info=demo.item_info.drop(columns="genres"))
    assert list(describe_figures(without)) == ["overview"]


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match="a figure needs matplotlib"):
        describe_figures(data([1.0]))
