"""A model on data that differ in ids and scale alone says the same; what it learns, it learns in training."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from igmc.config import DataConfig, TransferConfig
from igmc.errors import CheckpointError, ConfigError
from igmc.evaluation.metrics.errors import rmse
from igmc.evaluation.transfer.adapt import transfer
from igmc.evaluation.transfer.scale_map import ScaleMap
from igmc.inference.predictor import Predictor
from igmc.ratings.load import load_dataset
from igmc.ratings.split import make_split
from tests.edits import edited


@pytest.fixture(scope="module")
def demo():
    return load_dataset("demo")


def write(path, table, rating):
    """The pairs of a table under other ids, in the same order, with other ratings."""
    frame = pd.DataFrame({"u": table.user + 1000, "i": [f"item{i:04d}" for i in table.item], "r": rating})
    frame.to_csv(path, index=False)
    return DataConfig(dataset=str(path), columns="u,i,r")


@pytest.fixture(scope="module")
def percent(demo, tmp_path_factory):
    """The demo in other words: ratings 20, 40, ..., 100."""
    return write(tmp_path_factory.mktemp("target") / "percent.csv", demo.table, demo.table.rating * 20)


def predictions(folder):
    return pd.read_csv(folder / "predictions.csv.gz")


def test_the_same_ratings_in_other_words_get_the_same_predictions_in_those_words(demo_run, percent, tmp_path):
    report = transfer(demo_run, percent, out=tmp_path, device="cpu")
    known, found = predictions(demo_run), predictions(tmp_path)
    assert (found.user_id - 999).tolist() == known.user_id.tolist(), "demo ids begin at 1"
    np.testing.assert_allclose(found.prediction, 20 * known.ensemble, rtol=1e-5)
    source = json.loads((demo_run / "metrics.json").read_text())
    assert report.zero_shot.rmse == pytest.approx(20 * source["ensemble"]["rmse"], rel=1e-5)
    assert report.references["item mean"].rmse == pytest.approx(
        20 * source["references"]["item mean"]["rmse"], rel=1e-5
    )
    assert report.zero_shot.rmse == pytest.approx(rmse(found.prediction, found.rating), rel=1e-6)
    assert (report.adapted, report.adapted_on) == (None, 0)
    assert report.epochs == Predictor.from_run(demo_run, device="cpu").epochs
    assert report.scale_map["levels"]["values"] == pytest.approx([20, 40, 60, 80, 100])
    assert json.loads((tmp_path / "transfer.json").read_text()) == report.to_dict()
    assert ScaleMap.from_dict(report.scale_map).slope == 20
    for line in ("demo -> percent, split random", "IGMC, unchanged", "a prediction p means 0 + 20 p (ratio)"):
        assert line in report.format()


def test_a_shifted_scale_needs_its_range(demo_run, demo, tmp_path):
    shifted = write(tmp_path / "shifted.csv", demo.table, demo.table.rating * 5 - 15)
    with pytest.raises(ConfigError, match="ratings below 0 have no ratio"):
        transfer(demo_run, shifted, device="cpu")
    transfer(demo_run, shifted, TransferConfig(rescale="range"), out=tmp_path, device="cpu")
    np.testing.assert_allclose(
        predictions(tmp_path).prediction, 5 * predictions(demo_run).ensemble - 15, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("adapt", ["calibrate", "finetune"])
def test_adapting_learns_from_its_share_of_the_training_ratings_and_nothing_else(
    demo_run, demo, percent, tmp_path, adapt
):
    how = TransferConfig(adapt=adapt, percent=10.0, epochs=1, learning_rate=1e-3)
    report = transfer(demo_run, percent, how, out=tmp_path / "first", device="cpu")
    assert report.adapted_on == round(0.1 * report.known_ratings) == 1080
    assert report.adapted != report.zero_shot
    for name in ("zero_shot", "adapted"):
        low, high = report.intervals[name]
        assert low < getattr(report, name).rmse < high
    assert f"({how.percent:g} %)" in report.format()
    split = make_split(load_dataset(percent), percent, how.seed)
    rating = np.array(split.table.rating)
    rating[split.test] = rating[split.test][::-1]  # other answers to what is asked
    other = write(tmp_path / "percent.csv", split.table, rating)
    again = transfer(demo_run, other, how, out=tmp_path / "second", device="cpu")
    first, second = (predictions(tmp_path / name) for name in ("first", "second"))
    assert first.rating.tolist() != second.rating.tolist()
    np.testing.assert_array_equal(first.prediction, second.prediction)
    assert report.scale_map == again.scale_map
    more = transfer(demo_run, percent, how.replace(seed=1, percent=20.0), device="cpu")
    assert more.adapted != report.adapted


def test_fine_tuning_ends_without_a_mean_error_on_what_it_learned_from(demo_run, demo, tmp_path):
    """At a learning rate of next to nothing, only the intercept can have moved."""
    config = write(tmp_path / "high.csv", demo.table, np.where(demo.table.rating == 1, 1, 5))
    how = TransferConfig(adapt="finetune", percent=50.0, learning_rate=1e-9, epochs=1)
    transfer(demo_run, config, out=tmp_path / "zero", device="cpu")
    report = transfer(demo_run, config, how, out=tmp_path / "tuned", device="cpu")
    before, after = (predictions(tmp_path / name) for name in ("zero", "tuned"))
    moved = after.prediction - before.prediction
    assert moved.mean() > 0.3
    assert moved.std() < 1e-3
    assert abs((after.prediction - after.rating).mean()) < 0.1
    assert report.adapted.rmse < report.zero_shot.rmse


def test_adapting_brings_a_foreign_scale_nearer(demo_run, demo, tmp_path):
    kind = write(tmp_path / "kind.csv", demo.table, np.where(demo.table.rating == 1, 1, 5))
    for adapt in ("calibrate", "finetune"):
        how = TransferConfig(adapt=adapt, percent=50.0, learning_rate=1e-2, epochs=2)
        report = transfer(demo_run, kind, how, device="cpu")
        assert report.adapted.rmse < 0.95 * report.zero_shot.rmse


def test_pairs_without_a_neighbourhood_are_counted_and_can_fall_back(demo_run, demo, tmp_path):
    config = write(tmp_path / "few.csv", demo.table, demo.table.rating).replace(keep_ratio=0.01)
    plain = transfer(demo_run, config, out=tmp_path / "plain", device="cpu")
    transfer(demo_run, config, TransferConfig(fallback=True), out=tmp_path / "fallen", device="cpu")
    first, second = (predictions(tmp_path / name).prediction for name in ("plain", "fallen"))
    assert 0 < plain.without_neighbourhood == np.count_nonzero(first != second) < plain.test_pairs


def test_what_cannot_be_transferred_is_refused(demo_run, percent, tmp_path):
    with pytest.raises(CheckpointError, match="is not a run folder"):
        transfer(tmp_path, percent)
    with pytest.raises(ConfigError, match=r"too few ratings to adapt to; got '0.01 % of 10800'.*--percent"):
        transfer(demo_run, percent, TransferConfig(adapt="calibrate", percent=0.01), device="cpu")
    with pytest.raises(ConfigError, match="the test part is empty"):
        transfer(demo_run, percent.replace(test_ratio=0.0), device="cpu")
    copy = shutil.copytree(demo_run, tmp_path / "copy")
    with edited(copy / "config.json") as config:
        config["config"]["model"]["side_features"] = True
    with pytest.raises(ConfigError, match="a model trained with side features"):
        transfer(copy, percent)
