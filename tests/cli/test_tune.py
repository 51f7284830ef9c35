"""igmc tune: the best trials on stdout, progress on stderr, and files that other commands take."""

import json
import re

import pytest

pytest.importorskip("optuna")
from igmc.evaluation import tuning

QUICK = ("--model", "item_mean", "--trials", 3)


def test_a_table_on_stdout_and_progress_on_stderr(command, home, tmp_path):
    code, out, err = command("igmc", "tune", *QUICK, "--out", "study", "--space", "damping=1.0:4.0")
    assert code == 0
    assert out.startswith("item_mean on demo, random_80_20, seed 1: 3 complete\n")
    table = re.findall(r"^ +(\d) +(\d\.\d{4}) +(\S+) +\S+ s$", out, re.MULTILINE)
    assert [figure for _, figure, _ in table] == sorted(figure for _, figure, _ in table)
    assert all(1 <= float(damping) <= 4 for _, _, damping in table)
    assert out.endswith("best settings: study/best.json\n")
    assert len(re.findall(r"trial \d/3: rmse \d\.\d{4} in .* \(best ", err)) == 3
    best = json.loads((tmp_path / "study" / "best.json").read_text())
    assert f"{best['damping']:.4g}" == table[0][2]

    again = command("igmc", "tune", *QUICK, "--out", "study", "--space", "damping=1.0:4.0")
    assert again[:2] == (0, out)
    assert "trial " not in again[2]


def test_json_and_a_folder_named_after_the_command(command, home, tmp_path):
    arguments = ("--model", "ease", "--trials", 2, "--metric", "recall@5", "--seed", 3, "--no-prune", "-q")
    code, out, err = command("igmc", "tune", *arguments, "--json")
    assert (code, err) == (0, "")
    result = json.loads(out)
    assert (result["metric"], result["seed"], len(result["trials"])) == ("recall@5", 3, 2)
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.startswith("tune-demo-ease-")
    assert result["folder"] == f"runs/{folder.name}"
    assert command("igmc", "tune", *arguments, "--json")[1] == out, "the same command finds its study"
    code, out, _ = command(
        "igmc-evaluate", "--model", f"tuned=ease@{folder}/best.json", "--no-rankings", "--ks", 5, "-q"
    )
    assert code == 0
    assert "tuned" in out


def test_workers_and_the_executor_reach_the_study(command, home, monkeypatch):
    """What they do is tested in `tests/evaluation/tuning/test_study.py` and `tests/test_jobs.py`."""
    real, asked, folders = tuning.tune, [], []

    def noting(*given, workers, executor, **more):
        asked.append((workers, executor, more["parallel"]))
        return real(*given, workers=1, **more)

    monkeypatch.setattr(tuning, "tune", noting)
    for how in ((), ("--parallel", 2, "--workers", 2), ("--parallel", 2, "--executor", "ray")):
        code, out, _ = command("igmc", "tune", *QUICK, *how, "--json", "-q")
        assert code == 0
        folders.append(json.loads(out)["folder"])
    assert asked == [(None, "local", 1), (2, "local", 2), (None, "ray", 2)]
    assert folders[0] != folders[1] == folders[2], "another study, whoever works on it"


def test_help_ends_with_two_examples(command):
    code, out, _ = command("igmc", "tune", "-h", "--all")
    assert code == 0
    assert len(re.findall(r"^  igmc tune ", out.partition("Examples:")[2], re.MULTILINE)) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing option '--model'"),
        (
            ("--model", "item_mean", "--space", "dampng=1:2"),
            "item_mean has no setting of this name to search; got 'dampng'",
        ),
        (("--model", "item_mean", "--space", "damping"), "cannot read the search space; got 'damping'"),
        (("--model", "global_mean"), "global_mean has no settings to tune"),
        (
            ("--model", "item_mean", "--protocol", "random_80_20:validation_ratio=0"),
            "leaves no validation part",
        ),
        (("--model", "item_mean", "--trials", 0), "Invalid value for '--trials'"),
        (("--model", "item_mean", "--workers", 2), "hint: raise that number as well (--parallel 2)"),
        (("--model", "item_mean", "--executor", "dask"), "unknown executor; got 'dask'"),
    ],
)
def test_wrong_usage(command, home, arguments, message):
    code, out, err = command("igmc", "tune", *arguments, "-q")
    assert (code, out) == (2, "")
    assert message in err


def test_another_study_in_the_folder(command, home):
    assert command("igmc", "tune", *QUICK, "--out", "study", "-q")[0] == 0
    code, _, err = command("igmc", "tune", *QUICK, "--out", "study", "--seed", 2, "-q")
    assert code == 2
    assert "study holds another study: " in err
    assert "seed (1 there, 2 now)" in err
