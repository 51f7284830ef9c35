"""Callbacks are called in order, once for each training, and learn of its end however it ends."""

import json

import pytest

import igmc
from igmc.tracking import Callback, TrackedTraining
from tests.evaluation.splits import random_rows

SMALL = {
    "network": "rgcn",
    "layers": (8, 8),
    "mlp_width": 8,
    "epochs": 2,
    "batch_size": 64,
    "device": "cpu",
    "progress": False,
}


@pytest.fixture
def ratings_file(tmp_path):
    """300 ratings of 30 users and 20 items."""
    lines = [f"u{user},i{item},{rating:g}\n" for user, item, rating in random_rows(7, users=30, items=20)]
    path = tmp_path / "mine.csv"
    path.write_text("user,item,rating\n" + "".join(lines))
    return path


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


class Diary(Callback):
    """Notes the calls."""

    def __init__(self):
        self.calls = []

    def on_train_begin(self, run, settings):
        self.calls.append(("begin", run, settings))

    def on_epoch_end(self, run, record):
        self.calls.append(("epoch", run, record))

    def on_train_end(self, run, metrics):
        self.calls.append(("end", run, metrics))


class Refuses(Callback):
    def on_train_begin(self, run, settings):
        raise ValueError("no")


def test_a_training_that_ends_well():
    diary = Diary()
    with TrackedTraining([diary, Callback()], "demo/mf", {"factors": 2}) as tracked:
        tracked.monitor({"epoch": 3, "mse": 0.5})
        tracked.finish({"test_rmse": 0.9})
    assert diary.calls == [
        ("begin", "demo/mf", {"factors": 2}),
        ("epoch", "demo/mf", {"epoch": 3, "mse": 0.5}),
        ("end", "demo/mf", {"test_rmse": 0.9}),
    ]


def test_a_model_trained_again_is_another_training_and_has_the_final_figures():
    diary = Diary()
    with TrackedTraining([diary], "mf", {}) as tracked:
        for epoch in (1, 2, 1):
            tracked.monitor({"epoch": epoch})
        tracked.finish({"test_rmse": 0.9})
    assert [call[:2] for call in diary.calls] == [
        *(("begin", "mf"), ("epoch", "mf"), ("epoch", "mf"), ("end", "mf")),
        *(("begin", "mf-2"), ("epoch", "mf-2"), ("end", "mf-2")),
    ]
    assert [metrics for kind, _, metrics in diary.calls if kind == "end"] == [{}, {"test_rmse": 0.9}]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_training_that_fails_ends_without_figures(error):
    diary = Diary()
    tracked = TrackedTraining([diary], "mf", {})
    tracked.finish({"test_rmse": 0.9})
    with pytest.raises(error), tracked:
        raise error
    assert diary.calls[-1] == ("end", "mf", None)


def test_if_one_callback_refuses_those_before_it_are_ended():
    diary, never = Diary(), Diary()
    with pytest.raises(ValueError, match="no"), TrackedTraining([diary, Refuses(), never], "mf", {}):
        pass
    assert [call[0] for call in diary.calls] == ["begin", "end"]
    assert never.calls == []


def test_without_callbacks_there_is_nothing_to_call():
    with TrackedTraining([], "mf", {}) as tracked:
        assert tracked.monitor is None


def test_train_calls_them_and_a_finished_run_does_not(ratings_file, home, tmp_path):
    diary = Diary()
    for _ in range(2):
        report = igmc.train(ratings_file, out=tmp_path / "run", home=home, callbacks=[diary], **SMALL)
    assert [call[:2] for call in diary.calls] == [
        *(("begin", "run"), ("epoch", "run"), ("epoch", "run"), ("end", "run"))
    ]
    history = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [record for kind, _, record in diary.calls if kind == "epoch"] == history
    assert diary.calls[0][2]["train"]["epochs"] == 2
    assert diary.calls[-1][2]["test_rmse"] == report.ensemble.rmse
    assert diary.calls[-1][2]["validation_rmse"] == report.validation_rmse


def test_an_exception_of_a_callback_ends_the_training_which_can_be_resumed(ratings_file, home, tmp_path):
    class Enough(Diary):
        def on_epoch_end(self, run, record):
            super().on_epoch_end(run, record)
            raise RuntimeError("enough")

    first, second = Enough(), Diary()
    with pytest.raises(RuntimeError, match="enough"):
        igmc.train(ratings_file, out=tmp_path / "run", home=home, callbacks=[first], **SMALL)
    assert first.calls[-1] == ("end", "run", None)
    igmc.train(ratings_file, out=tmp_path / "run", home=home, callbacks=[second], **SMALL)
    assert [record["epoch"] for kind, _, record in second.calls if kind == "epoch"] == [2]


def test_evaluate_and_tune_call_them_for_every_model_and_trial(home):
    from igmc.evaluation.tuning import tune

    diary = Diary()
    model = "two=mf:factors=2,epochs=2"
    igmc.evaluate(["biases", model], "demo", home=home, rankings=False, callbacks=[diary])
    place = "demo/random_80_20/seed-1"
    begun = [run for kind, run, _ in diary.calls if kind == "begin"]
    assert begun == [f"{place}/biases", f"{place}/two", f"{place}/two-2"]
    assert diary.calls[-1][1] == f"{place}/two-2"
    assert 0 < diary.calls[-1][2]["test_rmse"] < 2
    trials = Diary()
    found = tune("biases", "demo", trials=2, home=home, callbacks=[trials])
    ends = [metrics["validation_rmse"] for kind, _, metrics in trials.calls if kind == "end"]
    assert ends == [trial.value for trial in found.trials]
