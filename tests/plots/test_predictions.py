"""Predictions against the truth: the numbers drawn are those given."""

import numpy as np
import pytest

from igmc.plots.predictions import Bucket, prediction_figure

USERS = [Bucket("1-4", 10, 1.5), Bucket("5+", 1190, 0.5)]
ITEMS = [Bucket("0", 1200, 0.7)]


def drawn(predicted, true, levels):
    return prediction_figure(predicted, true, levels, [(1.5, 2.0, 3), (4.0, 3.5, 1)], USERS, ITEMS)


def test_boxes_dots_and_bars_are_the_numbers():
    true = np.repeat([1.0, 5.0], 11)
    predicted = np.concatenate([np.linspace(1, 2, 11), np.linspace(3, 5, 11)])
    boxes, calibration, users, items = drawn(predicted, true, [1.0, 3.0, 5.0]).axes
    medians = [line.get_ydata()[0] for line in boxes.lines if line.get_linewidth() == 1.6]
    assert medians == pytest.approx([1.5, 4.0])  # level 3 was given to none
    dots = calibration.collections[0].get_offsets()
    assert dots.tolist() == [[1.5, 2.0], [4.0, 3.5]]
    sizes = calibration.collections[0].get_sizes()
    assert sizes[0] > sizes[1]
    assert [bar.get_height() for bar in users.patches] == [1.5, 0.5]
    assert [text.get_text() for text in users.texts] == ["10", "1,190"]
    assert [label.get_text() for label in items.get_xticklabels()] == ["0"]


def test_many_levels_are_put_together():
    rng = np.random.default_rng(0)
    levels = [float(k) for k in range(1, 72)]
    true = rng.choice(levels, 500)
    boxes = drawn(true, true, levels).axes[0]
    medians = [line for line in boxes.lines if line.get_linewidth() == 1.6]
    assert len(medians) == 10
