"""The figure of a training shows its losses and marks the best epoch; it is never a reason to fail."""

import logging
import sys

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from igmc.plots import training
from igmc.plots.style import save_figure
from igmc.plots.training import save_curves, training_figure


def history(rmse, **more):
    return [
        {"epoch": epoch, "mse": 2.0 / epoch, "validation_rmse": value, **more}
        for epoch, value in enumerate(rmse, start=1)
    ]


def lines(axes):
    return [(list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines]


def test_errors_of_training_and_validation_share_an_axis_with_the_best_epoch_marked():
    (axes,) = training_figure(history([1.2, 0.9, 1.1])).axes
    assert lines(axes)[0] == ([1, 2, 3], [2**0.5, 1.0, (2 / 3) ** 0.5])
    assert lines(axes)[1] == ([1, 2, 3], [1.2, 0.9, 1.1])
    assert lines(axes)[3] == ([2], [0.9])
    assert axes.get_title(loc="right") == "best: 0.9000 in epoch 2"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "RMSE")
    assert [text.get_text() for text in axes.get_legend().texts] == ["training steps", "validation"]


def test_without_validation_there_is_the_loss_alone():
    (axes,) = training_figure(history([None, None])).axes
    assert lines(axes) == [([1, 2], [2**0.5, 1.0])]
    assert axes.get_legend() is None


def test_a_loss_in_another_unit_stands_apart_from_the_error():
    records = [{"epoch": float(e), "loss": 2.0 / e, "validation_rmse": 1.0 + e} for e in (1, 2)]
    loss, validation = training_figure(records).axes
    assert lines(loss) == [([1.0, 2.0], [2.0, 1.0])]
    assert lines(validation)[0] == ([1.0, 2.0], [2.0, 3.0])
    assert validation.get_title(loc="right") == "best: 2.0000 in epoch 1"
    assert (loss.get_ylabel(), validation.get_ylabel()) == ("loss", "RMSE")


def test_of_rankings_the_highest_ndcg_is_best_and_epochs_without_a_figure_are_passed_over():
    records = [{"epoch": 1.0, "loss": 0.7}] + [
        {"epoch": float(epoch), "loss": 0.6, "validation_ndcg": value}
        | {"validation_precision": value / 2, "validation_recall": 1 - value}
        for epoch, value in ((2, 0.1), (3, 0.3), (4, 0.2))
    ]
    _, validation = training_figure(records).axes
    ndcg, precision, recall = lines(validation)[:3]
    assert ndcg == ([2.0, 3.0, 4.0], [0.1, 0.3, 0.2])
    assert (precision[1], recall[1]) == ([0.05, 0.15, 0.1], [0.9, 0.7, 0.8])
    assert validation.get_title(loc="right") == "best NDCG@20: 0.3000 in epoch 3"
    names = [text.get_text() for text in validation.get_legend().texts]
    assert names == ["NDCG@20", "precision@20", "recall@20"]


RANKED = {"loss": 0.6, "validation_ndcg": 0.2, "validation_precision": 0.1, "validation_recall": 0.3}


@pytest.mark.parametrize("record", [RANKED, {"mse": 1.0, "validation_rmse": 1.0}])
def test_no_text_covers_another_or_leaves_the_paper(tmp_path, record):
    figure = training_figure([record | {"epoch": epoch} for epoch in range(1, 101)])
    save_figure(figure, tmp_path / "x")
    *_, axes = figure.axes
    drawn = FigureCanvasAgg(figure).get_renderer()
    title, best = axes._left_title.get_window_extent(drawn), axes._right_title.get_window_extent(drawn)
    label = axes.yaxis.label.get_window_extent(drawn)
    assert title.x1 < best.x0 < best.x1 <= figure.bbox.width
    assert label.x0 >= 0
    assert 0 <= label.y0 < label.y1 <= title.y0
    if record is RANKED:  # the legend is below the curves
        assert 0 <= axes.get_legend().get_window_extent(drawn).y1 <= axes.bbox.y0


def test_both_files_are_written(tmp_path):
    save_curves(history([1.0]), tmp_path / "curves")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curves.png", "curves.svg"]


@pytest.mark.parametrize(
    ("error", "message"),
    [(ValueError("odd"), "no curves.png: ValueError: odd"), (OSError(28, "full"), "no curves.png: OSError")],
)
def test_a_figure_that_fails_is_logged_only(tmp_path, monkeypatch, caplog, error, message):
    def failing(*arguments):
        raise error

    monkeypatch.setattr(training, "save_figure", failing)
    with caplog.at_level(logging.INFO, "igmc"):
        save_curves(history([1.0]), tmp_path / "curves")
    assert message in caplog.text


def test_without_matplotlib_there_is_no_figure_and_no_error(tmp_path, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with caplog.at_level(logging.INFO, "igmc"):
        save_curves(history([1.0]), tmp_path / "curves")
    assert not caplog.text, "nobody asked for a figure"
    assert not list(tmp_path.iterdir())
