"""Lists without doubles: what is chosen, by hand, and what is alike."""

from types import SimpleNamespace

import numpy as np
import pytest

from igmc.inference.lists.diversity import diverse, likeness
from tests.inference.lists.test_orders import graph_of

VALUE = np.array([1.0, 0.9, 0.8, 0.0])
ALIKE = np.array([[1, 0.9, 0.1, 0], [0.9, 1, 0.1, 0], [0.1, 0.1, 1, 0], [0, 0, 0, 1.0]])


@pytest.mark.parametrize(
    ("diversity", "expected"), [(0, [0, 1, 2]), (0.3, [0, 2, 1]), (0.6, [0, 2, 3]), (1, [0, 3, 2])]
)
def test_the_next_item_is_good_and_unlike_those_before(diversity, expected):
    # With 0.3, after 0: item 1 has .7 * .9 - .3 * .9 = .36, item 2 .7 * .8 - .3 * .1 = .53; then 1 beats 3.
    assert diverse(VALUE, ALIKE, 3, diversity).tolist() == expected


def test_short_and_level_lists_are_whole():
    assert diverse(np.array([2.0, 2.0]), np.eye(2), 5, 0.5).tolist() == [0, 1]
    assert diverse(np.empty(0), np.empty((0, 0)), 5, 0.5).tolist() == []


def test_items_are_alike_by_raters_and_by_genres():
    graph = graph_of(4, 2, 0)  # users 0..3, users 0 and 1, nobody
    raters = likeness(graph, None, np.array([0, 1, 2], np.int32))
    assert raters[0, 1] == pytest.approx(2 / np.sqrt(8))
    assert raters[2].tolist() == [0, 0, 1]
    info = SimpleNamespace(genres=("Drama|War", "Drama", ""), genre_names=("Drama", "War"))
    both = likeness(graph, info, np.array([1, 0], np.int32))
    assert both[0, 1] == both[1, 0] == pytest.approx((2 / np.sqrt(8) + 1 / 2) / 2)
    assert both.diagonal().tolist() == [1, 1]
