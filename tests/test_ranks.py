"""Processes that train together, started by torchrun: gradients, checkpoints and reports are those of one."""

import json
import os
import re
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
    "epochs": 2,
    "members": 2,
    "max_neighbors": 8,
    "estimates": "none",
    "batch_size": 200,
    "keep_ratio": 0.15,
}
RGCN = {"network": "rgcn", "epochs": 2, "max_nodes_per_hop": 4, "batch_size": 200, "keep_ratio": 0.1}


NETWORKS = {"neighbours": SETTINGS, "rgcn": RGCN}


def training(settings, folder):
    """What `igmc-train` takes."""
    pairs = [(f"--{name.replace('_', '-')}", str(value)) for name, value in settings.items()]
    return ["--dataset", "demo", *(text for pair in pairs for text in pair), "--out", str(folder), "--json"]


def torchrun(works, folder, restarts=None):
    """What it printed; with restarts, its agent is started without its command line."""
    (folder / "works.json").write_text(json.dumps(works))
    asked = ["-m", "tests.two_ranks", str(folder / "works.json")]
    if restarts is None:
        asked = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *asked]
    else:
        asked += [str(restarts)]
    command = [sys.executable, *asked]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def exact():
    """The gradients of one process."""
    return gradients(ALONE)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The report of each network's run by one process."""
    folder, how = tmp_path_factory.mktemp("alone"), {"device": "cpu", "progress": False}
    return {name: train("demo", **settings, out=folder / name, **how) for name, settings in NETWORKS.items()}


@pytest.fixture(scope="module")
def unbroken(exact, alone, tmp_path_factory):
    """The folder of two ranks' gradients and of a run of each network, and what torchrun printed.

    What one process does comes first, so that all kernels are compiled, once.
    """
    folder = tmp_path_factory.mktemp("unbroken")
    trainings = [{"train": training(settings, folder / name)} for name, settings in NETWORKS.items()]
    return folder, torchrun([{"gradients": str(folder)}, *trainings], folder)


@pytest.fixture(scope="module")
def broken(unbroken, tmp_path_factory):
    """The folder of the same runs, each of which was killed once, and what torchrun printed."""
    folder = tmp_path_factory.mktemp("broken")
    works = [
        {"train": training(settings, folder / name), "kill": [name, start]}
        for start, (name, settings) in enumerate(NETWORKS.items())
    ]
    return folder, torchrun(works, folder, restarts=len(works))


def test_two_ranks_find_the_gradients_of_one(exact, unbroken):
    parts = [torch.load(unbroken[0] / f"{rank}.pt") for rank in (0, 1)]
    for case, steps in exact.items():
        assert len(steps) > 1
        for found in (part[case] for part in parts):
            assert len(found) == len(steps)
            for one, right in zip(found, steps, strict=True):
                for tensor, its in zip(one, right, strict=True):
                    assert (tensor - its).abs().max() <= 1e-6 * max(1.0, its.abs().max()), case
        for one, other in zip(*(part[case] for part in parts), strict=True):
            same = [torch.equal(tensor, its) for tensor, its in zip(one, other, strict=True)]
            assert all(same), "both ranks take the same step, to the last bit"


def test_one_rank_reports_and_writes(unbroken, alone):
    folder = unbroken[0] / "neighbours"
    reports = re.split(r"(?<=^\})\n", unbroken[1].stdout.strip(), flags=re.MULTILINE)
    found = [json.loads(report) for report in reports]
    assert [report["folder"] for report in found] == [str(unbroken[0] / name) for name in NETWORKS]
    assert [json.loads(line)["epoch"] for line in (folder / "metrics.jsonl").open()] == [1, 2]
    assert (folder / "log.txt").read_text().count("2 processes, each with its part of every batch") == 1
    for report, one in zip(found, alone.values(), strict=True):
        assert report["ensemble"]["rmse"] == pytest.approx(one.ensemble.rmse, abs=1e-3)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_rank_that_is_killed_is_started_again_by_torchrun_and_ends_with_the_same_bits(
    broken, unbroken, network
):
    folder, _ = broken
    assert (folder / network / "log.txt").read_text().count("resuming after epoch 1") == 1
    last = f"epoch-{NETWORKS[network]['epochs']:04}.ckpt"
    kept = [load_checkpoint(place / network / "checkpoints" / last) for place in (folder, unbroken[0])]
    for part in ("model", "training"):
        assert kept[0][part].keys() == kept[1][part].keys()
        assert all(torch.equal(tensor, kept[1][part][name]) for name, tensor in kept[0][part].items())


def test_a_run_goes_on_with_another_number_of_ranks_and_says_so(unbroken, tmp_path, caplog):
    caplog.set_level("INFO", "igmc")
    report = train(
        "demo", **SETTINGS | {"epochs": 3}, out=unbroken[0] / "neighbours", device="cpu", progress=False
    )
    assert report.epochs == 3
    assert "resuming after epoch 2, with 1 processes instead of 2" in caplog.text


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
