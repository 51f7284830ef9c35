"""igmc-plot draws what a run left; and what is missing or damaged is said in one line."""

import gzip
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from igmc.ratings.split import Split
from igmc.recommenders.registry import make_recommender
from igmc.recommenders.training_data import TrainingData


@pytest.fixture
def run(demo_run):
    return demo_run


@pytest.fixture
def plot(command, home, run):
    return lambda *arguments: command("igmc-plot", run, "--top", 3, *arguments)


@pytest.fixture
def copy(run, tmp_path):
    """A run folder to spoil."""
    return shutil.copytree(run, tmp_path / "copy")


def test_all_figures_of_a_run(plot, run, tmp_path):
    code, out, err = plot("--plots", tmp_path / "figures", "--json", "--quiet")
    assert (code, err) == (0, "")
    value = json.loads(out)
    assert list(value["figures"]) == ["training", "errors", "subgraphs", "largest-errors"]
    written = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert written == sorted(f"{name}.{kind}" for name in value["figures"] for kind in ("png", "svg"))


def test_figures_go_to_the_run_folder_and_show_one_pair_if_asked(command, home, copy, run, plot, tmp_path):
    (copy / "metrics.json").unlink()
    code, out, err = command("igmc-plot", copy, "--user", 3, "--item", "f007", "--top", 2)
    assert code == 0
    assert out.split() == [str(copy / "plots" / f"{name}.png") for name in ("training", "subgraphs")]
    assert err.splitlines()[0] == "the run is unfinished: it has no test predictions to draw yet"
    assert [p.name for p in (copy / "plots").glob("*.svg")]


def test_embeddings_are_drawn_of_a_model_that_has_some(plot, run, tmp_path):
    data = TrainingData.from_split(Split.load(run / "split.npz"))
    settings = {"dim": 4, "layers": 1, "epochs": 1, "batch_size": 2000}
    make_recommender("lightgcn", settings).fit(data).save(tmp_path / "gcn.ckpt")
    make_recommender("global_mean").fit(data).save(tmp_path / "mean.ckpt")
    code, _, err = plot("--embeddings", tmp_path / "gcn.ckpt", "--plots", tmp_path / "f")
    assert code == 0, err
    assert (tmp_path / "f" / "embeddings.png").is_file()
    code, _, err = plot("--embeddings", tmp_path / "mean.ckpt", "--plots", tmp_path / "f")
    assert (code, "this model has no embeddings; got 'global_mean'" in err) == (2, True)
    few = TrainingData(data.train, data.validation, data.n_users, data.n_items + 1, data.scale)
    make_recommender("lightgcn", settings).fit(few).save(tmp_path / "few.ckpt")
    code, _, err = plot("--embeddings", tmp_path / "few.ckpt", "--plots", tmp_path / "f")
    assert (code, "was fitted to other items than the run; got 251; allowed: 250 items" in err) == (
        2,
        True,
    )


def test_what_is_damaged_is_named(command, home, copy, tmp_path):
    def failing():
        code, out, err = command("igmc-plot", copy, "--plots", tmp_path / "f")
        assert out == ""
        assert not (tmp_path / "f").exists()
        return code, err.splitlines()[-1]

    predictions = (copy / "predictions.csv.gz").read_bytes()
    (copy / "predictions.csv.gz").write_bytes(predictions[:1000])
    assert failing()[0] == 3
    assert "predictions.csv.gz cannot be read" in failing()[1]
    lines = gzip.decompress(predictions).decode().splitlines()
    swapped = "\n".join([lines[0], *lines[:0:-1]])
    (copy / "predictions.csv.gz").write_bytes(gzip.compress(swapped.encode()))
    assert "predictions.csv.gz is not of the test part of this run" in failing()[1]
    (copy / "predictions.csv.gz").unlink()
    assert "holds no predictions: the run is unfinished" in failing()[1]
    for text in ("", "{", '{"epoch": 1}\n'):
        (copy / "metrics.jsonl").write_text(text)
        code, message = failing()
        assert code == 3
        assert "metrics.jsonl cannot be read" in message


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--user", "3"], 2, "--user and --item go together; see igmc-plot -h"),
        (["--projection", "tsne"], 2, "tsne"),
        (["--embeddings", "none.ckpt"], 3, "none.ckpt"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(plot, arguments, code, message):
    got, out, err = plot(*arguments, "--plots", "figures")
    assert (got, out) == (code, "")
    assert message in err.splitlines()[-1]


def test_activity_counts_what_is_known_when_the_test_pairs_are_asked(
    run, monkeypatch, command, home, tmp_path
):
    seen = {}

    def look(predicted, true, levels, calibration, by_user, by_item):
        seen.update(by_user=by_user, predicted=np.asarray(predicted), calibration=calibration)
        from igmc.plots.style import house_style, new_figure

        with house_style():
            return new_figure()[0]

    monkeypatch.setattr("igmc.plots.prediction_figure", look)
    assert command("igmc-plot", run, "--top", 1, "--plots", tmp_path / "f")[0] == 0
    split, frame = Split.load(run / "split.npz"), pd.read_csv(run / "predictions.csv.gz")
    assert seen["predicted"].tolist() == frame.ensemble.tolist()
    assert sum(bucket.pairs for bucket in seen["by_user"]) == len(frame)
    known = np.bincount(split.table.user[np.concatenate([split.train, split.validation])], minlength=300)
    per_pair = known[split.table.users.encode(frame.user_id.tolist())]
    label = {one.label: one.pairs for one in seen["by_user"]}
    assert label["20-49"] == int(((per_pair >= 20) & (per_pair < 50)).sum())
