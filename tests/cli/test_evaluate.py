"""igmc-evaluate: a report on stdout and in files."""

import json
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import igmc
from igmc import evaluation
from igmc.evaluation import metric_names
from igmc.recommenders import load_recommender

QUICK = ("--model", "biases", "--model", "item_mean", "--protocol", "random_80_20", "--ks", "5", "-q")


def test_a_table_and_a_test_against_one_model(command, home, tmp_path):
    code, out, err = command("igmc-evaluate", *QUICK, "--against", "item_mean", "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    assert "| biases | 1." in out
    assert "| biases | demo, random_80_20, seed 1 | -0." in out
    assert (tmp_path / "out" / "report.png").is_file()


def test_a_model_that_is_kept_has_its_embeddings_and_its_training_drawn(command, home, tmp_path, demo_run):
    model = "lightgcn:dim=4,layers=1,epochs=1"
    asked = "igmc-evaluate", "--model", model, "--no-rankings", "--protocol", "leave_last_out"
    code, _, err = command(*asked, "--keep-models")
    assert (code, "error: --keep-models needs --out DIR" in err) == (2, True)
    code, _, err = command(*asked, "--keep-models", "--out", tmp_path / "out")
    path = next((tmp_path / "out" / "models").glob("lightgcn-*.model"))
    assert f"lightgcn kept in {path}" in err
    # Refitted without a validation part, it still has the curves by which its epochs were chosen.
    assert load_recommender(path).history[0].keys() >= {"validation_precision", "validation_recall"}
    code, out, _ = command("igmc-plot", demo_run, "--embeddings", path, "--plots", tmp_path, "--top", 1)
    drawn = [Path(line).stem for line in out.split()]
    assert drawn[-2:] == ["embeddings", "model-training"]
    assert (tmp_path / "model-training.svg").is_file()


def test_json_and_columns(command, home):
    code, out, _ = command("igmc", "evaluate", *QUICK, "--seeds", "3,4", "--json")
    assert code == 0
    assert [one["seed"] for one in json.loads(out)["cells"]] == [3, 3, 4, 4]
    code, out, _ = command("igmc-evaluate", *QUICK, "--metrics", "user_mae,coverage@5")
    assert "| model | user_mae | coverage@5 | training | scoring |" in out


def test_workers_and_the_executor_reach_the_evaluation(command, home, monkeypatch):
    """What they do is tested in `tests/evaluation/test_harness.py` and `tests/test_jobs.py`."""
    real, asked = evaluation.evaluate, []

    def noting(*given, workers, executor, **more):
        asked.append((workers, executor))
        return real(*given, **more)

    monkeypatch.setattr(evaluation, "evaluate", noting)
    given = ("--model", "user_mean", "--ks", 5, "--no-rankings", "-q")
    for how in ((), ("--workers", 2), ("--executor", "ray")):
        assert command("igmc-evaluate", *given, *how)[0] == 0
    assert asked == [(None, "local"), (2, "local"), (None, "ray")]


def test_lists_of_opposite_newcomers_are_shown_when_their_overlap_is_asked_for(command, home):
    words = ("--model", "biases", "--protocol", "unseen_users:k=5", "-q")
    code, out, _ = command("igmc-evaluate", *words, "--metrics", "opposite_overlap")
    assert code == 0
    assert "| biases | 1.0000 [1.0000, 1.0000] |" in out
    assert "- biases, to the other: The " in out
    assert "to the other" not in command("igmc-evaluate", *words)[1]


def test_the_curves_of_every_training_are_tracked(command, home, tmp_path):
    model = "two=mf:objective=ranking,factors=2,epochs=2"
    code, _, _ = command("igmc-evaluate", *QUICK, "--model", model, "--track", "tb")
    assert code == 0
    place = tmp_path / "tb" / "demo" / "random_80_20" / "seed-1"
    events = EventAccumulator(str(place / "two")).Reload()
    assert events.Tags()["scalars"] == [
        *("train/loss", "learning_rate", "validation/ndcg", "validation/precision", "validation/recall")
    ]
    again = EventAccumulator(str(place / "two-2")).Reload()
    assert again.Tags()["scalars"] == ["train/loss", "learning_rate"], (
        "fitted to both parts, with fixed epochs"
    )
    assert sorted(path.name for path in place.iterdir()) == ["two", "two-2"], "the others have no epochs"


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (
            "--list-models",
            ["biases: ", "    damping=null  number of pseudo-ratings", "    train.epochs=40  passes"],
        ),
        ("--list-protocols", ["random_80_20: ", "unseen_users: ", "    min_rating="]),
    ],
)
def test_what_there_is_to_choose_from(command, home, option, words):
    code, out, _ = command("igmc-evaluate", option)
    assert code == 0
    assert all(word in out for word in words)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no model given: use --model NAME"),
        (("--model", "biases", "--seeds", "1;2"), "--seeds is not a list of whole numbers from 0; got '1;2'"),
        (("--model", "biases", "--ks", "0"), "--ks is not a list of whole numbers from 1; got '0'"),
        (("--model", "biases", "--against", "mf"), "--against does not name an evaluated model; got 'mf'"),
        (("--model", "biases", "--json", "--metrics", "rmse"), "which --json replaces"),
        (("--model", "nosuch"), "unknown recommender; got 'nosuch'"),
        (("--model", "biases", "--executor", "dask"), "unknown executor; got 'dask'"),
        (("--model", "biases", "--workers", 0), "Invalid value for '--workers'"),
        (
            ("--model", "biases", "--metrics", "nosuch"),
            "no such metric; got 'nosuch'",
        ),
    ],
)
def test_wrong_usage(command, home, arguments, message):
    code, out, err = command("igmc-evaluate", *arguments, "-q")
    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--metrics", "rsme"], "no such metric; got 'rsme'"),
        (["--metrics", "ndcg@7"], "did you mean"),
        (["--metrics", "rmse,ndcg@5", "--no-rankings"], "no such metric; got 'ndcg@5'"),
        (
            ["--metrics", "coverage@5", "--against", "biases"],
            "cannot compare models by the first of --metrics",
        ),
        (["--against", "mf"], "--against does not name an evaluated model; got 'mf'"),
    ],
)
def test_a_misspelt_metric_or_rival_is_said_before_anything_is_fitted(
    command, home, monkeypatch, arguments, message
):
    monkeypatch.setattr("igmc.evaluation.evaluate", None)
    code, out, err = command("igmc-evaluate", "--model", "biases", *arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_the_metrics_that_are_known_are_those_that_are_measured():
    found = igmc.evaluate("biases", "demo", protocols="unseen_users:k=5", ks=5)
    assert set(found.metrics()) <= set(metric_names([5]))
    assert set(found.evaluations[0].per_user) <= set(metric_names([5], by_user=True))
