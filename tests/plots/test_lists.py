"""The figures of lists show each title with its numbers."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from igmc.plots.lists import ListedTitle, bar_figure, list_figure, network_figure, pivot_figure
from igmc.rating_colours import rating_colour

LISTED = [
    ListedTitle("Alien", 3.5, 90, (4.5, 3.0)),
    ListedTitle("A title that is far too long to stand beside a bar", 4.0, 10, (None, 4.0)),
]
LEVELS = (1, 2, 3, 4, 5)


def labels(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def test_bars_stand_in_their_order_with_their_values():
    (axes,) = bar_figure(["Alien", "Babe"], [120, 7], "ratings").axes
    assert labels(axes) == ["Alien", "Babe"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1], "the first is on top"
    assert [bar.get_width() for bar in axes.patches] == [120, 7]
    assert [text.get_text() for text in axes.texts] == ["120", "7"]
    assert axes.get_xlabel() == "ratings"


def test_a_list_shows_predictions_and_what_everybody_gives():
    alone = [ListedTitle(one.title, one.usual, one.ratings, one.scores[1:]) for one in LISTED]
    (axes,) = list_figure(alone, LEVELS, "for user 1").axes
    assert [bar.get_width() for bar in axes.patches] == [3.0, 4.0]
    assert axes.lines[0].get_xdata() == pytest.approx([3.5, 4.0])
    assert axes.get_xlim() == (1, 5)
    assert labels(axes)[1].endswith("…")
    assert len(labels(axes)[1]) <= 38


def test_a_pivot_is_empty_where_a_title_is_not_listed():
    axes = pivot_figure(["user 1", "user 2"], LISTED, LEVELS).axes[0]
    shown = axes.images[0].get_array()
    np.testing.assert_array_equal(shown.mask, [[False, False], [True, False]])
    assert [text.get_text() for text in axes.texts] == ["4.5", "3.0", "4.0"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["user 1", "user 2"]
    # Coloured as ratings are, on the whole scale.
    image = axes.images[0]
    for rating in (1.0, 3.0, 4.4):
        drawn, expected = to_rgb(image.cmap(image.norm(rating))), to_rgb(rating_colour(rating, 1, 5))
        assert drawn == pytest.approx(expected, abs=0.01)


def test_a_graph_has_a_line_for_each_place_of_a_list():
    axes = network_figure(["user 1", "user 2"], LISTED).axes[0]
    assert len(axes.lines) == 3
    widths = [line.get_linewidth() for line in axes.lines]
    assert widths.index(max(widths)) == 0, "the highest prediction is the widest"
    titles, users = axes.collections
    assert titles.get_sizes()[1] > titles.get_sizes()[0], "rated higher is larger"
    assert titles.get_array().tolist() == [90, 10]
    assert len(users.get_offsets()) == 2


def test_titles_of_a_graph_are_near_the_users_who_have_them():
    listed = [
        ListedTitle("both", 3.0, 1, (4.0, 4.0)),
        ListedTitle("second", 3.0, 1, (None, 4.0)),
        ListedTitle("first", 3.0, 1, (4.0, None)),
    ]
    axes = network_figure(["user 1", "user 2"], listed).axes[0]
    assert [text.get_text() for text in axes.texts[2:]] == ["first", "both", "second"]
