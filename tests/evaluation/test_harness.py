"""The grid of an evaluation: what is run, what is kept, what is reported."""

import csv
import io
import json

import pytest

from igmc.errors import ConfigError, TrainingError
from igmc.evaluation import fitted_models, harness
from igmc.evaluation.harness import evaluate
from igmc.evaluation.report import EvaluationReport
from igmc.recommenders.biases import Biases

MODELS = ["biases", "strong=biases:damping=100", "popularity"]


@pytest.fixture(scope="module")
def report():
    return evaluate(MODELS, ["demo"], protocols=["random_80_20"], seeds=[1, 2], ks=[5, 10])


@pytest.fixture
def counted(monkeypatch):
    """The labels of the models that are really run."""
    ran = []
    real = harness.evaluate_model

    def run(model, *args, **kwargs):
        ran.append(model.label)
        return real(model, *args, **kwargs)

    monkeypatch.setattr(harness, "evaluate_model", run)
    return ran


def test_every_model_is_run_on_every_split(report):
    found = [(one.seed, one.label) for one in report.evaluations]
    assert found == [(seed, label) for seed in (1, 2) for label in ("biases", "strong", "popularity")]
    first, second = (c for c in report.evaluations if c.label == "biases")
    assert first.split_digest != second.split_digest


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


def test_a_damaged_evaluation_is_made_anew(tmp_path, counted, caplog):
    arguments = {"protocols": ["random_80_20"], "ks": [5], "out": tmp_path}
    first = evaluate(["biases"], ["demo"], **arguments)
    next((tmp_path / "cells").glob("*.npz")).write_bytes(b"PK damaged")
    again = evaluate(["biases"], ["demo"], **arguments)
    assert counted == ["biases", "biases"]
    assert again.evaluations[0].metrics == first.evaluations[0].metrics
    assert "is damaged and made anew" in caplog.text


def test_one_that_fails_does_not_stop_the_others(monkeypatch, tmp_path):
    real = harness.evaluate_model

    def run(model, *args, **kwargs):
        if model.label == "biases":
            raise TrainingError("the loss is not finite")
        return real(model, *args, **kwargs)

    monkeypatch.setattr(harness, "evaluate_model", run)
    report = evaluate(["biases", "item_mean"], ["demo"], protocols=["random_80_20"], ks=[5], out=tmp_path)
    assert [one.label for one in report.evaluations] == ["item_mean"]
    assert "- biases on demo, random_80_20, seed 1: the loss is not finite" in report.to_markdown()


def test_the_table_has_the_best_first_and_means_over_seeds(report):
    table = report.to_markdown()
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    assert lines[0].startswith("| model | rmse | mae | recall@10 | precision@10 | ndcg@10 |")
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| biases", "| strong", "| popularity"]
    assert " ± " in lines[2]
    assert lines[4].startswith("| popularity | - | - | 0.")
    assert "**demo, random_80_20** (seed 1, 2; ratings: 8,640 train, 960 validation, 2,400 test)" in table


def test_one_seed_is_shown_with_its_interval(report):
    alone = EvaluationReport(report.evaluations[:1])
    low, high = alone.evaluations[0].intervals["rmse"]
    shown = f"{alone.evaluations[0].metrics['rmse']:.4f} [{low:.4f}, {high:.4f}]"
    assert shown in alone.to_markdown(["rmse"])


def test_unknown_columns_are_refused(report):
    with pytest.raises(ConfigError, match=r"no such metric; got 'ndgc@10'; allowed: rmse"):
        report.to_markdown(["ndgc@10"])


def test_a_model_is_compared_with_another_on_each_split(report):
    found = report.compare("strong", "biases", "rmse")
    assert [one.seed for one, _ in found] == [1, 2]
    for one, test in found:
        other = next(c for c in report.evaluations if c.label == "biases" and c.seed == one.seed)
        assert test.difference == pytest.approx(one.metrics["rmse"] - other.metrics["rmse"], abs=1e-6)
        assert test.low < test.difference < test.high
        assert 0 < test.p_value < 0.01
    assert report.compare("popularity", "biases", "rmse") == []
    assert len(report.compare("popularity", "biases", "ndcg@5")) == 2
    assert "| strong | demo, random_80_20, seed 2 | +0." in report.versus("biases", "rmse")
    with pytest.raises(ConfigError, match=r"no such model was evaluated; got 'mf'"):
        report.compare("mf", "biases", "rmse")
    with pytest.raises(ConfigError, match=r"no such metric to compare models by; got 'coverage@5'"):
        report.compare("strong", "biases", "coverage@5")


def test_the_report_is_written_in_all_forms(report, tmp_path):
    report.save(tmp_path / "deep" / "folder")
    folder = tmp_path / "deep" / "folder"
    assert {path.name for path in folder.iterdir()} == {
        "report.json",
        "report.csv",
        "report.md",
        "report.png",
        "report.svg",
    }
    found = json.loads((folder / "report.json").read_text())
    assert [one["label"] for one in found["cells"]] == [one.label for one in report.evaluations]
    rows = list(csv.DictReader(io.StringIO((folder / "report.csv").read_text())))
    assert float(rows[0]["rmse"]) == report.evaluations[0].metrics["rmse"]
    assert rows[2]["rmse"] == ""


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


def test_what_took_long_to_train_is_trained_once_for_all_it_is_asked(tmp_path, monkeypatch):
    trained = []
    real = Biases._fit
    monkeypatch.setattr(fitted_models, "KEEP_AFTER", -1.0)
    monkeypatch.setattr(Biases, "_fit", lambda self, *given: trained.append(self) or real(self, *given))
    protocols = ["unseen_users:k=0", "unseen_users:k=5"]
    alone = [evaluate(["biases"], ["demo"], protocols=[way], ks=[5]).evaluations[0] for way in protocols]
    once = len(trained) // 2
    shared = evaluate(["biases"], ["demo"], protocols=protocols, ks=[5], out=tmp_path).evaluations
    assert len(trained) == 3 * once
    for one, other in zip(alone, shared, strict=True):
        assert one.metrics == other.metrics
        assert one.settings == other.settings
    assert shared[0].metrics != shared[1].metrics
    evaluate(["biases"], ["demo"], protocols=["unseen_users:k=2"], ks=[5], out=tmp_path)
    assert len(trained) == 3 * once
    for change in (
        {"seeds": [2]},
        {"protocols": ["unseen_users:refit=false"]},
        {"protocols": ["random_80_20"]},
    ):
        before = len(trained)
        evaluate(
            ["biases"], ["demo"], **{"protocols": ["unseen_users:k=2"], "ks": [5], "out": tmp_path, **change}
        )
        assert len(trained) > before, change
    damaged = sorted((tmp_path / "models").glob("*.model"))
    assert len(damaged) == 4
    for path in damaged:
        path.write_bytes(b"damaged")
    again = evaluate(["biases"], ["demo"], protocols=["unseen_users:k=1"], ks=[5], out=tmp_path)
    assert not again.failures


def test_what_is_trained_quickly_is_not_kept(tmp_path):
    evaluate(["biases"], ["demo"], protocols=["random_80_20"], ks=[5], out=tmp_path)
    assert not list((tmp_path / "models").iterdir())


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
