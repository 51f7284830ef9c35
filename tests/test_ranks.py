"""Processes that train together, started by torchrun: gradients, checkpoints and reports are those of one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from igmc.errors import ConfigError
from igmc.ranks import ALONE, Ranks, _store, is_first, joined
from igmc.run import train
from igmc.training import load_checkpoint
from tests.two_ranks import gradients

ROOT = Path(__file__).parents[1]
SETTINGS = {
    "network": "neighbours",
    "epochs": 3,
    "members": 2,
    "max_neighbors": 8,
    "estimates": "none",
    "batch_size": 700,
}
RGCN = {"network": "rgcn", "epochs": 2, "max_nodes_per_hop": 4, "batch_size": 200, "keep_ratio": 0.1}


def options(settings):
    """The settings as `igmc-train` takes them."""
    return [text for name, value in settings.items() for text in (f"--{name.replace('_', '-')}", str(value))]


def torchrun(*arguments, restarts=0):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["--max-restarts", str(restarts), "-m", "tests.two_ranks", *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """A run of two ranks: its folder, and what torchrun printed."""
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    done = torchrun("train", "--dataset", "demo", *options(SETTINGS), "--out", folder, "--json")
    assert done.returncode == 0, done.stderr
    return folder, done


def test_two_ranks_find_the_gradients_of_one(tmp_path):
    expected = gradients(ALONE)  # first, so that all kernels are compiled
    done = torchrun("gradients", tmp_path)
    assert done.returncode == 0, done.stderr
    parts = [torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1)]
    for case, steps in expected.items():
        assert len(steps) > 1
        for found in (part[case] for part in parts):
            assert len(found) == len(steps)
            for one, right in zip(found, steps, strict=True):
                for tensor, exact in zip(one, right, strict=True):
                    assert (tensor - exact).abs().max() <= 1e-6 * max(1.0, exact.abs().max()), case
        for one, other in zip(*(part[case] for part in parts), strict=True):
            same = [torch.equal(tensor, its) for tensor, its in zip(one, other, strict=True)]
            assert all(same), "both ranks take the same step, to the last bit"


def test_one_rank_reports_and_writes(unbroken):
    folder, done = unbroken
    report = json.loads(done.stdout)
    assert report["folder"] == str(folder)
    assert [json.loads(line)["epoch"] for line in (folder / "metrics.jsonl").open()] == [1, 2, 3]
    assert (folder / "log.txt").read_text().count("2 processes, each with its part of every batch") == 1
    alone = train("demo", **SETTINGS, out=folder.with_name("alone"), device="cpu", progress=False)
    assert report["ensemble"]["rmse"] == pytest.approx(alone.ensemble.rmse, abs=1e-3)


@pytest.mark.parametrize("settings", [SETTINGS, RGCN], ids=["neighbours", "rgcn"])
def test_a_rank_that_is_killed_is_started_again_by_torchrun_and_ends_with_the_same_bits(
    request, tmp_path, settings
):
    given = "--dataset", "demo", *options(settings), "--out"
    if settings is SETTINGS:
        whole, _ = request.getfixturevalue("unbroken")
    else:
        whole = tmp_path / "unbroken"
        done = torchrun("train", *given, whole)
        assert done.returncode == 0, done.stderr
    folder = tmp_path / "run"
    done = torchrun("train", "--kill", settings["network"], *given, folder, restarts=1)
    assert done.returncode == 0, done.stderr
    assert "resuming after epoch 1" in done.stderr
    last = f"epoch-{settings['epochs']:04}.ckpt"
    kept = [load_checkpoint(place / "checkpoints" / last) for place in (folder, whole)]
    for part in ("model", "training"):
        assert kept[0][part].keys() == kept[1][part].keys()
        assert all(torch.equal(tensor, kept[1][part][name]) for name, tensor in kept[0][part].items())


def test_a_run_goes_on_with_another_number_of_ranks_and_says_so(unbroken, tmp_path, caplog):
    caplog.set_level("INFO", "igmc")
    report = train("demo", **SETTINGS | {"epochs": 4}, out=unbroken[0], device="cpu", progress=False)
    assert report.epochs == 4
    assert "resuming after epoch 3, with 1 processes instead of 2" in caplog.text


def test_parts_are_consecutive_and_even():
    for total in (0, 1, 2, 7, 100):
        parts = [Ranks(rank, 3).part(total) for rank in range(3)]
        assert [part.start for part in parts[1:]] == [part.stop for part in parts[:-1]]
        assert (parts[0].start, parts[-1].stop) == (0, total)
        assert max(p.stop - p.start for p in parts) - min(p.stop - p.start for p in parts) <= 1


def test_without_torchrun_one_process_is_alone(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    with joined() as ranks:
        assert (ranks.rank, ranks.size, ranks.first) == (0, 1, True)
    assert is_first()
    monkeypatch.setenv("RANK", "1")
    assert is_first(), "another program's number"


def test_restarts_on_several_machines_need_a_store_of_their_own(monkeypatch):
    for name, value in (("USE_AGENT_STORE", "True"), ("MAX_RESTARTS", "3")):
        monkeypatch.setenv(f"TORCHELASTIC_{name}", value)
    monkeypatch.setenv("GROUP_WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1"):
        _store(0)
