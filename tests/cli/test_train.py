"""igmc-train does the main job, from the store or live, and the same again for the same command."""

import json
import re

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from igmc import run
from igmc.checked_json import load_checked
from tests.brief import USUAL_CURVES

SMALL = ("--network", "rgcn", "--layers", "8,8", "--mlp-width", 8, "--batch-size", 64, "--epochs", 2)


@pytest.fixture
def train(command, home, ratings_file):
    """Runs igmc-train on the small file with a small network."""
    return lambda *arguments: command("igmc-train", "--dataset", ratings_file, *SMALL, *arguments)


def result(run):
    code, out, err = run
    assert (code, err) == (0, err)
    return json.loads(out)


def test_a_run_reports_on_stdout_logs_on_stderr_and_leaves_its_folder(train, tmp_path):
    code, out, err = train("--out", "run")
    assert code == 0
    assert re.search(r"global mean .*\d\.\d{4}", out)
    assert re.search(r"IGMC.* \d\.\d{4}", out)
    assert "300 ratings read from" in err
    assert "device cpu" in err
    assert "store" in err
    assert json.loads((tmp_path / "run" / "config.json").read_text())["config"]["train"]["epochs"] == 2
    assert {"metrics.json", "metrics.jsonl", "predictions.csv.gz", "log.txt"} <= {
        path.name for path in (tmp_path / "run").iterdir()
    }


def test_curves_are_drawn_and_tracked(train, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "save_curves", USUAL_CURVES)
    assert train("--out", "run", "--live", "--track", "curves")[0] == 0
    assert (tmp_path / "run" / "curves.png").stat().st_size > 10_000
    events = EventAccumulator(str(tmp_path / "curves" / "run")).Reload()
    assert events.Tags()["scalars"] == [
        *("train/mse", "train/arr", "learning_rate", "train/offset", "validation/rmse"),
        *("speed/seconds", "speed/subgraphs_per_second"),
    ]
    history = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [(one.step, pytest.approx(one.value)) for one in events.Scalars("validation/rmse")] == [
        (record["epoch"], record["validation_rmse"]) for record in history
    ]


def test_json_is_the_report_that_the_folder_holds(train, tmp_path):
    report = result(train("--out", "run", "--json", "--selection", "fixed"))
    assert report == load_checked((tmp_path / "run" / "metrics.json").read_bytes())
    assert (report["selection"], report["epochs"], report["train_pairs"], report["test_pairs"]) == (
        "fixed",
        2,
        270,
        30,
    )


def test_a_command_of_an_earlier_version_finds_its_run(train, tmp_path):
    report = result(train("--selection", "fixed", "--json", "--quiet"))
    assert re.fullmatch(r"runs/mine\.csv-paper-seed1-[0-9a-f]{8}", report["folder"])
    code, out, err = train("--protocol", "paper", "--json", "--quiet")
    assert (code, json.loads(out)) == (0, report)
    assert err.splitlines() == ["igmc-train: warning: --protocol paper is now --selection fixed"]


def test_the_same_command_again_does_nothing_new(train):
    first = train("--out", "run", "--json")
    again = train("--out", "run", "--json")
    assert result(again) == result(first)
    assert "nothing to do" in again[2]


def test_what_igmc_extract_stored_is_found(command, train, home, ratings_file):
    assert command("igmc-extract", "--dataset", ratings_file)[0] == 0
    stored = {path: path.stat().st_mtime_ns for path in home.rglob("*.h5")}
    train("--out", "run", "--store")
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*.h5")} == stored


def test_live_needs_no_store_and_quiet_is_quiet(train, home):
    code, out, err = train("--live", "--quiet")
    assert (code, err) == (0, "")
    assert "test error" in out
    assert not home.exists()


def test_a_run_can_be_repeated_from_its_config(command, train):
    first = result(train("--out", "run", "--seed", 3, "--json"))
    second = result(command("igmc-train", "--config", "run/config.json", "--out", "twin", "--json"))
    for report in (first, second):
        for varying in ("seconds", "folder"):
            del report[varying]
    assert second == first


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--device", "gpu"], 2, "unknown device; got 'gpu'; allowed: auto, cpu, cuda, cuda:N"),
        (["--norm", "sum"], 2, "--norm is not known; got 'sum'; allowed: none, relation, degree"),
        (["--split", "u1"], 2, "no such split; got 'u1'"),
        (["--out", "mine.csv"], 1, "cannot write mine.csv: File exists; hint: choose another folder"),
        (["--test-ratio", 0], 2, "the test part is empty; got 0.0; hint: raise --test-ratio"),
    ],
)
def test_what_is_wrong_is_said_at_the_end_in_one_line(train, arguments, code, message):
    got, out, err = train(*arguments)
    assert (got, out) == (code, "")
    assert message in err.splitlines()[-1]
    assert err.splitlines()[-1].startswith("igmc-train: error: ")


def test_a_folder_with_another_run_is_left_alone(train, tmp_path):
    train("--out", "run")
    before = (tmp_path / "run" / "metrics.json").read_bytes()
    code, _, err = train("--out", "run", "--seed", 2)
    assert code == 2
    assert "holds a run with other settings: seed (1 there, 2 now)" in err
    assert (tmp_path / "run" / "metrics.json").read_bytes() == before


def test_the_network_decides_which_settings_there_are(command, tmp_path):
    code, out, _ = command("igmc-train", "--network", "neighbours", "-h", "--all")
    assert code == 0
    assert "--max-neighbors" in out
    assert "--hops" not in out
    assert "--arr" not in out
    for before in (("--network", "rgcn"), ("--dataset", "ml-100k")):
        code, out, _ = command("igmc-train", *before, "-h", "--all")
        assert "--max-neighbors" not in out
        assert "--hops" in out
    for network, option in (("neighbours", "--hops"), ("rgcn", "--members")):
        code, _, err = command("igmc-train", "--network", network, option, 2, "--out", tmp_path / "x")
        assert code == 2
        assert f"{option} is not a setting of this network; got '--network {network}'" in err
    code, _, err = command("igmc-train", "--hops", 2)
    assert "got '--network neighbours, that of demo'; hint: omit it, or give --network rgcn" in err
    assert not (tmp_path / "x").exists()


def test_one_option_sets_what_both_networks_have(command, tmp_path):
    options = ["--epochs", 1, "--members", 1, "--max-neighbors", 5, "--json"]
    code, out, _ = command("igmc-train", "--dataset", "demo", *options, "--out", tmp_path / "run")
    assert code == 0
    assert json.loads(out)["epochs"] == 1
    stored = json.loads((tmp_path / "run" / "config.json").read_text())["config"]
    assert stored["neighbours"]["epochs"] == 1
    again = ["--config", tmp_path / "run" / "config.json", "--out", tmp_path / "run", "--json"]
    assert json.loads(command("igmc-train", *again)[1])["network"] == "neighbours"


def test_memory_for_statistics_changes_no_result_and_is_for_the_network_that_reads_them(command, tmp_path):
    options = ["--dataset", "demo", "--epochs", 1, "--members", 1, "--max-neighbors", 5, "--json"]
    reports = []
    for memory in ([], ["--statistics-memory", 0.001]):
        code, out, _ = command("igmc-train", *options, *memory, "--out", tmp_path / f"run{len(reports)}")
        assert code == 0
        reports.append(json.loads(out))
    assert reports[0]["ensemble"] == reports[1]["ensemble"]
    rgcn = ["--network", "rgcn", "--statistics-memory", 1, "--out", tmp_path / "x"]
    code, _, err = command("igmc-train", *rgcn)
    assert code == 2
    assert "this network does not use statistics; got '--statistics-memory 1'" in err
    assert not (tmp_path / "x").exists()
