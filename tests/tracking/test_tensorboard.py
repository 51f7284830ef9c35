"""Curves for TensorBoard: what is written is what it reads."""

import sys

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from igmc.errors import IgmcError, MissingExtraError
from igmc.tracking import TensorBoard, TrackedTraining


def curves(place):
    """{tag: [(step, value)]} as TensorBoard shows it."""
    events = EventAccumulator(str(place)).Reload()
    return {
        tag: [(one.step, pytest.approx(one.value)) for one in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def record(epoch, **more):
    return {"epoch": epoch, "mse": 1.0 / epoch, "arr": 5.0, "learning_rate": 1e-3, **more}


def follow(folder, run, records):
    with TrackedTraining([TensorBoard(folder)], run, {}) as tracked:
        for one in records:
            tracked.monitor(one)


def test_losses_validation_and_learning_rate_of_each_epoch(tmp_path):
    records = [record(1, validation_rmse=None, seconds=2.0)]
    records += [record(2, validation_rmse=np.float64(0.9), seconds=1.0)]
    follow(tmp_path / "new" / "tb", "demo/igmc", records)
    assert curves(tmp_path / "new" / "tb" / "demo" / "igmc") == {
        "train/mse": [(1, 1.0), (2, 0.5)],
        "train/arr": [(1, 5.0), (2, 5.0)],
        "learning_rate": [(1, 1e-3), (2, 1e-3)],
        "validation/rmse": [(2, 0.9)],
        "speed/seconds": [(1, 2.0), (2, 1.0)],
    }


def test_each_epoch_can_be_seen_before_the_end(tmp_path):
    with TrackedTraining([TensorBoard(tmp_path)], "run", {}) as tracked:
        tracked.monitor(record(1))
        assert curves(tmp_path / "run")["train/mse"] == [(1, 1.0)]


def test_a_second_training_of_the_same_run_has_curves_of_its_own(tmp_path):
    follow(tmp_path, "run", map(record, (1, 2, 1)))
    assert curves(tmp_path / "run")["train/mse"] == [(1, 1.0), (2, 0.5)]
    assert curves(tmp_path / "run-2")["train/mse"] == [(1, 1.0)]


def test_a_run_that_resumes_continues_its_curves_and_repeats_no_epoch(tmp_path):
    for epochs in ((1, 2, 3), (3, 4)):
        follow(tmp_path, "run", map(record, epochs))
        if epochs == (1, 2, 3):  # files are read in the order of their names, which hold the second
            (file,) = (tmp_path / "run").glob("events*")
            file.rename(file.with_name("events.out.tfevents.0000000001.before"))
    assert [step for step, _ in curves(tmp_path / "run")["train/mse"]] == [1, 2, 3, 4]


def test_names_become_folders_below_the_one_given(tmp_path):
    follow(tmp_path, "../../my data.csv/random_80_20:min_rating=3/..", [record(1)])
    files = [path.relative_to(tmp_path).parent.as_posix() for path in tmp_path.rglob("events*")]
    assert files == ["_/_/my_data.csv/random_80_20_min_rating=3/_"]


def test_a_training_without_epochs_writes_nothing(tmp_path):
    follow(tmp_path, "run", [])
    assert not list(tmp_path.iterdir())


def test_what_is_missing_or_in_the_way_is_said_at_once(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(IgmcError, match=r"cannot write .*file"):
        TensorBoard(tmp_path / "file")
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtraError, match=r"needs TensorBoard; hint: pip install 'igmc\[track\]'"):
        TensorBoard(tmp_path)
