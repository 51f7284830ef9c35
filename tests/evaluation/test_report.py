"""What a report says of evaluations: tables, comparisons, and files that others read."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from igmc.environment import machine, versions
from igmc.errors import ConfigError, MissingExtraError
from igmc.evaluation import report as module
from igmc.evaluation.harness import evaluate
from igmc.evaluation.report import EvaluationReport, Failure
from tests.evaluation.evaluations import make_evaluation

MODELS = ["biases", "strong=biases:damping=100", "popularity"]


@pytest.fixture(scope="module")
def report():
    return evaluate(MODELS, ["demo"], protocols=["random_80_20"], seeds=[1, 2], ks=[5, 10])


def test_the_table_has_the_best_first_and_means_over_seeds(report):
    table = report.to_markdown()
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    assert lines[0].startswith("| model | rmse | mae | mean_error | recall@10 | precision@10 | ndcg@10 |")
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| biases", "| strong", "| popularity"]
    assert " ± " in lines[2]
    assert lines[4].startswith("| popularity | - | - | - | 0.")
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
    with pytest.raises(ConfigError, match=r"this model was not evaluated; got 'mf'"):
        report.compare("mf", "biases", "rmse")
    with pytest.raises(ConfigError, match=r"cannot compare models by this metric; got 'coverage@5'"):
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


def test_seeds_of_a_model_are_one_group_under_each_protocol():
    rows = [("a", 2, "random_80_20"), ("b", 1, "random_80_20"), ("a", 1, "random_80_20"), ("a", 1, "idcf")]
    made = [make_evaluation(label, seed=seed, protocol=protocol) for label, seed, protocol in rows]
    groups = EvaluationReport(tuple(made)).groups()
    assert [(g.label, g.protocol, [one.seed for one in g.evaluations]) for g in groups] == [
        ("a", "random_80_20", [1, 2]),
        ("b", "random_80_20", [1]),
        ("a", "idcf", [1]),
    ]


def test_the_usual_metrics_are_those_of_the_longest_list_that_were_measured():
    one = make_evaluation("a", metrics={"rmse": 1.0, "recall@5": 0.1, "ndcg@5": 0.2})
    other = make_evaluation("b", metrics={"recall@20": 0.3, "coverage@20": 0.4})
    report = EvaluationReport((one, other))
    assert report.usual_metrics() == ["rmse", "recall@20"]
    assert report.metrics() == ["rmse", "recall@5", "ndcg@5", "recall@20", "coverage@20"]


NEWCOMERS = {
    "liked": ["Alien"],
    "disliked": ["Ghost"],
    "first": ["Aliens", "Dune"],
    "second": ["Titanic", "Heat"],
}


def test_lists_of_opposite_newcomers_stand_at_the_end_of_the_written_report(tmp_path):
    given = {"details": {"newcomers": NEWCOMERS}, "metrics": {"rmse": 1.0, "opposite_overlap": 0.25}}
    asked = [make_evaluation("a", seed=seed, protocol="unseen_users", **given) for seed in (2, 1)]
    other = make_evaluation("b", protocol="unseen_users", metrics={"rmse": 2.0})
    report = EvaluationReport((*asked, other))
    who, lists = report.newcomers().split("\n\n")
    assert who == (
        "**demo, unseen_users** (seed 1): two newcomers. One likes Alien, and dislikes Ghost; the other one "
        "the other way round."
    )
    assert lists.splitlines() == ["- a, to the one: Aliens; Dune", "- a, to the other: Titanic; Heat"]
    report.save(tmp_path)
    assert (tmp_path / "report.md").read_text() == f"{report.to_markdown()}\n\n{report.newcomers()}\n"
    assert EvaluationReport((other,)).newcomers() == ""


def test_the_overlap_of_opposite_lists_is_a_usual_column_and_best_when_low():
    made = [
        make_evaluation("same", metrics={"rmse": 1.0, "opposite_overlap": 1.0}),
        make_evaluation("other", metrics={"rmse": 2.0, "opposite_overlap": 0.1}),
        make_evaluation("before", metrics={"rmse": 3.0}),  # stored when there was no such metric
    ]
    report = EvaluationReport(tuple(made))
    assert report.usual_metrics() == ["rmse", "opposite_overlap"]
    lines = report.to_markdown(["opposite_overlap"]).splitlines()[4:]
    assert [line.split(" | ")[:2] for line in lines] == [
        ["| other", "0.1000"],
        ["| same", "1.0000"],
        ["| before", "-"],
    ]


def test_errors_are_compared_as_they_are_measured():
    true, user = np.float32([1, 2, 3, 4] * 5), np.repeat(np.arange(5, dtype=np.int32), 4)
    given = {"asked_user": user, "asked_rating": true}
    exact = make_evaluation("exact", predicted=true + 1, **given)
    wrong = make_evaluation("wrong", predicted=true - np.float32([3, 0, 0, 0] * 5), **given)
    report = EvaluationReport((exact, wrong))
    for metric, difference in (("mae", 1 - 0.75), ("rmse", 1 - 1.5)):
        [(one, test)] = report.compare("exact", "wrong", metric)
        assert (one.label, test.difference) == ("exact", pytest.approx(difference))
    elsewhere = EvaluationReport((exact, replace(wrong, split_digest="another")))
    assert elsewhere.compare("exact", "wrong", "mae") == []


def test_what_failed_and_what_was_trained_again_stands_below_the_tables():
    failure = Failure("demo", "random_80_20", 3, "mf", "it diverged")
    text = EvaluationReport((make_evaluation("a", retrained=True),), (failure,)).to_markdown()
    assert "| a* |" in text
    assert "`*` trained again for the support ratings" in text
    assert text.endswith("Failed:\n\n- mf on demo, random_80_20, seed 3: it diverged")
    assert "trained again" not in EvaluationReport((make_evaluation("a"),)).to_markdown()


def test_a_report_says_where_it_was_made():
    found = EvaluationReport(()).to_dict()
    assert (found["machine"], found["versions"]) == (machine(), versions())
    assert (found["cells"], found["failures"]) == ([], [])


def test_without_matplotlib_all_else_is_written(tmp_path, monkeypatch, caplog):
    def missing(*arguments):
        raise MissingExtraError("figures need matplotlib")

    monkeypatch.setattr(module, "save_figure", missing)
    EvaluationReport((make_evaluation("a"),)).save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.csv", "report.json", "report.md"]
    assert "no report.png: figures need matplotlib" in caplog.text
