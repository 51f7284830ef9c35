"""The grid of an evaluation: what is run, what is kept, what is reported."""

import pickle
from dataclasses import replace
from functools import partial

import pytest

from igmc.errors import ConfigError, DataError, TrainingError
from igmc.evaluation import cells, harness
from igmc.evaluation.cells import Cell, Job, Kept, measure_away
from igmc.evaluation.harness import evaluate
from igmc.evaluation.model_evaluation import ModelEvaluation
from igmc.evaluation.model_spec import ModelSpec
from igmc.evaluation.protocols.registry import make_protocol
from igmc.ratings.load import load_dataset
from igmc.tracking import Callback
from tests.evaluation.datasets import make_dataset
from tests.evaluation.evaluations import figures
from tests.worker_jobs import KillsOnce


@pytest.fixture
def counted(monkeypatch):
    """The labels of the models that are really run."""
    ran = []
    real = cells.evaluate_model

    def run(model, *args, **kwargs):
        ran.append(model.label)
        return real(model, *args, **kwargs)

    monkeypatch.setattr(cells, "evaluate_model", run)
    return ran


def test_every_model_is_run_on_every_split():
    models = ["biases", "strong=biases:damping=100"]
    report = evaluate(models, ["demo"], protocols=["random_80_20"], seeds=[1, 2], ks=[5])
    found = [(one.seed, one.label) for one in report.evaluations]
    assert found == [(seed, label) for seed in (1, 2) for label in ("biases", "strong")]
    assert len({one.split_digest for one in report.evaluations}) == 2


def test_what_is_done_is_not_run_again(tmp_path, counted):
    arguments = {"protocols": ["random_80_20"], "ks": [5], "out": tmp_path}
    first = evaluate(["biases"], ["demo"], **arguments)
    again = evaluate(["renamed=biases", "global_mean"], ["demo"], **arguments)
    assert counted == ["biases", "global_mean"]
    assert again.evaluations[0].label == "renamed"
    assert again.evaluations[0].metrics == first.evaluations[0].metrics
    evaluate(["biases"], ["demo"], **{**arguments, "ks": [7]})
    evaluate(["biases:damping=3"], ["demo"], **arguments)
    evaluate(["biases"], ["demo"], **{**arguments, "protocols": ["random_8_1_1"]})
    assert counted[2:] == ["biases"] * 3, "other lengths, settings and protocols are other evaluations"


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("biases", "demo-unseen_users-1-biases-7aede2b79f0133aa"),
        ("mf", "demo-unseen_users-1-mf-bc80f4d6a897bc5b"),
        ("igmc", "demo-unseen_users-1-igmc-e4ac62c3fe943eab"),
        ("igmc:train.selection=validation", "demo-unseen_users-1-igmc-e4ac62c3fe943eab"),
    ],
)
def test_results_are_found_under_the_names_that_they_have_been_stored_under(
    tmp_path, monkeypatch, model, name
):
    monkeypatch.setattr(cells, "__version__", "0.2.0.dev0")
    dataset, protocol = load_dataset("demo"), make_protocol("unseen_users:k=5")
    kept = Kept(tmp_path, [5, 10, 20], True)
    place = kept.place(ModelSpec.parse(model), dataset, protocol, protocol.draw(dataset, 1))
    assert place == tmp_path / "cells" / name


def test_what_was_stored_before_a_metric_was_there_goes_without_it(tmp_path, counted):
    arguments = {"protocols": ["unseen_users:k=5"], "ks": [5], "out": tmp_path}
    before = evaluate(["biases"], ["demo"], **arguments).evaluations[0]
    less = {
        name: {key: value for key, value in getattr(before, name).items() if key != "opposite_overlap"}
        for name in ("metrics", "intervals", "per_user")
    }
    assert "opposite_overlap" in before.metrics
    assert "opposite_overlap" not in less["metrics"]
    place = next((tmp_path / "cells").glob("*.json")).with_suffix("")
    Kept(tmp_path, [5], True).write(place, replace(before, details={}, **less))
    report = evaluate(["biases", "item_mean"], ["demo"], **arguments)
    assert counted == ["biases", "item_mean"]
    assert [one.metrics.get("opposite_overlap") for one in report.evaluations] == [None, 1.0]
    assert "- item_mean, to the one: " in report.newcomers()
    assert "biases" not in report.newcomers()


def test_a_damaged_evaluation_is_made_anew(tmp_path, counted, caplog):
    arguments = {"protocols": ["random_80_20"], "ks": [5], "out": tmp_path}
    first = evaluate(["biases"], ["demo"], **arguments)
    next((tmp_path / "cells").glob("*.npz")).write_bytes(b"PK damaged")
    again = evaluate(["biases"], ["demo"], **arguments)
    assert counted == ["biases", "biases"]
    assert again.evaluations[0].metrics == first.evaluations[0].metrics
    assert "is damaged and recomputed" in caplog.text


def test_one_that_fails_does_not_stop_the_others(monkeypatch, tmp_path):
    real = cells.evaluate_model

    def run(model, *args, **kwargs):
        if model.label == "biases":
            raise TrainingError("the loss is not finite")
        return real(model, *args, **kwargs)

    monkeypatch.setattr(cells, "evaluate_model", run)
    report = evaluate(["biases", "item_mean"], ["demo"], protocols=["random_80_20"], ks=[5], out=tmp_path)
    assert [one.label for one in report.evaluations] == ["item_mean"]
    assert "- biases on demo, random_80_20, seed 1: the loss is not finite" in report.to_markdown()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": []}, r"there is no model to evaluate"),
        ({"seeds": []}, r"there is no seed to evaluate"),
        ({"models": ["biases", "biases:damping=3"]}, r"two models have the same label; got 'biases'"),
        ({"models": ["biases:dampin=3"]}, r"unknown setting in BiasConfig"),
        ({"protocols": ["nosuch"]}, r"unknown protocol; got 'nosuch'"),
        ({"datasets": ["nosuch"]}, r"unknown data set; got 'nosuch'"),
    ],
)
def test_what_makes_no_evaluation_says_why(changes, message):
    arguments = {"models": ["biases"], "datasets": ["demo"], "protocols": ["random_80_20"], **changes}
    with pytest.raises(ConfigError, match=message):
        evaluate(arguments.pop("models"), arguments.pop("datasets"), **arguments)


def test_ratings_can_be_measured_without_rankings(tmp_path, counted):
    arguments = {"protocols": ["random_80_20"], "ks": [5], "out": tmp_path}
    [both] = evaluate(["biases"], ["demo"], **arguments).evaluations
    [ratings] = evaluate(["biases"], ["demo"], **arguments, rankings=False).evaluations
    assert counted == ["biases", "biases"], "the one is not taken for the other"
    assert "recall@5" in both.metrics
    assert "recall@5" not in ratings.metrics
    assert ratings.metrics.items() <= both.metrics.items()


def test_what_is_asked_twice_counts_once_and_namesakes_are_refused(tmp_path):
    found = evaluate(["biases"], ["demo"], protocols=["random_80_20", "random-80-20"], seeds=[1, 1], ks=[5])
    assert len(found.evaluations) == 1
    rows = [f"{user},{item},{1 + (user + item) % 5}" for user in range(30) for item in range(8)]
    files = []
    for folder, times in (("a", 1), ("b", 2)):
        files.append(tmp_path / folder / "ratings.csv")
        files[-1].parent.mkdir()
        files[-1].write_text("\n".join(["user,item,rating", *rows[:: 3 - times]]) + "\n")
    with pytest.raises(ConfigError, match="two data sets have the same name; got"):
        evaluate(["biases"], [str(file) for file in files])


@pytest.mark.parametrize(
    ("values", "items"),
    [((10, 100, 500, 2000, 5000), 12), ((0, 1, 2, 3, 4), 12), ((1, 2, 3, 4, 5), 4)],
    ids=["too large for 2^r", "from 0", "fewer items than the shortest list"],
)
def test_ratings_of_any_scale_and_few_items_are_measured(tmp_path, values, items):
    rows = [f"{u},{i},{values[(u * i + u) % 5]}" for u in range(60) for i in range(items)]
    (tmp_path / "odd.csv").write_text("\n".join(["user,item,rating", *rows]) + "\n")
    found = evaluate(["biases"], [str(tmp_path / "odd.csv")])
    assert not found.failures
    assert {"rmse", "rated_ndcg", "rated_ndcg@5"} <= set(found.evaluations[0].metrics)


def test_a_wrong_setting_is_named_by_its_model():
    with pytest.raises(ConfigError, match=r"^model deep: train\.epochs|^model deep: epochs is out of range"):
        evaluate(["deep=igmc:train.epochs=0"], ["demo"])


def test_the_metrics_to_show_are_checked_before_anything_is_fitted_and_shown(monkeypatch):
    data = make_dataset(3, users=20, items=12)
    report = evaluate("global_mean", data, metrics=["mae", "rmse"])
    assert str(report).splitlines()[2].split("|")[2:4] == [" mae ", " rmse "]
    assert "recall@5" in report.metrics(), "everything is measured"
    assert report.to_markdown("recall@5") != str(report)

    def fitted(*_, **__):
        raise AssertionError("a model was fitted")

    monkeypatch.setattr(cells, "evaluate_model", fitted)
    with pytest.raises(ConfigError, match=r"no such metric; got 'rsme'; .*did you mean rmse"):
        evaluate("global_mean", data, metrics="rsme")
    with pytest.raises(ConfigError, match="no such metric; got 'recall@5'"):
        evaluate("global_mean", data, metrics=["recall@5"], rankings=False)


def test_workers_of_which_one_is_killed_measure_what_is_missing_and_come_to_what_one_process_does(
    tmp_path, monkeypatch
):
    data = replace(make_dataset(3, users=30, items=12), item_tags=KillsOnce(tmp_path / "killed"))
    given = {"datasets": [data, "demo"], "protocols": ["random_80_20", "unseen_items"], "ks": [5]}
    models = ["biases", "igmc:model.side_features=true", "mf:burn_in=2,draws=2"]
    alone = evaluate(models, **given, out=tmp_path / "alone")
    evaluate("biases", data, protocols="random_80_20", ks=[5], out=tmp_path / "shared")
    real, measured = harness._Grid.end, []
    monkeypatch.setattr(harness._Grid, "end", lambda *told: (measured.append(str(told[1])), real(*told)))
    shared = evaluate(models, **given, out=tmp_path / "shared", workers=2)
    assert (tmp_path / "killed").exists()
    assert len(measured) == len(set(measured)) == 11
    assert "biases on random, random_80_20, seed 1" not in measured
    assert len(alone.evaluations) == 8
    assert [one.label for one in alone.failures] == ["igmc"] * 4
    assert figures(shared) == figures(alone)
    names = [
        sorted(path.name for path in (tmp_path / out / "cells").iterdir()) for out in ("alone", "shared")
    ]
    assert names[0] == names[1]


def test_a_worker_with_other_ratings_refuses():
    data = make_dataset(3, users=30, items=12)
    cell = Cell(0, "random", make_protocol("random_80_20"), 1, ModelSpec("biases"), [5], False, None)
    load = pickle.dumps(partial(load_dataset, data))
    job = Job(load, data.table.digest(), "igmc.recommenders.biases:Biases", None, cell)
    assert isinstance(measure_away(job)[1], ModelEvaluation)
    with pytest.raises(DataError, match="a worker reads other ratings of random than the command did"):
        measure_away(replace(job, digest="other"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "the number of workers is too small; got 0"),
        ({"executor": "dask"}, "unknown executor; got 'dask'"),
        ({"workers": 2, "callbacks": [Callback()]}, "callbacks of your own are called in one process only"),
    ],
)
def test_workers_that_cannot_be(options, message):
    with pytest.raises(ConfigError, match=message):
        evaluate("biases", "demo", **options)
