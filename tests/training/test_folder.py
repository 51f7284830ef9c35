import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from igmc.config import ExtractConfig, RunConfig, TrainConfig
from igmc.errors import CheckpointError, ConfigError, DataError, IgmcError
from igmc.training.folder import RunFolder
from tests.edits import edited

REPO = Path(__file__).parents[2]
CONFIG = RunConfig()
FACTS = {"data_digest": "d" * 64, "split_digest": "5" * 64, "versions": {"igmc": "0.1.0"}}


def claim(path, config=CONFIG, facts=FACTS) -> RunFolder:
    folder = RunFolder(path)
    with folder.claimed(config, facts):
        pass
    return folder


def names(path):
    return sorted(p.relative_to(path).as_posix() for p in path.rglob("*"))


@pytest.fixture
def run(tmp_path):
    return claim(tmp_path / "runs" / "one")


def test_a_new_folder_holds_the_settings(run):
    assert names(run.path) == ["checkpoints", "config.json"]
    written = json.loads((run.path / "config.json").read_text())
    assert RunConfig.from_dict(written["config"]) == CONFIG
    assert written["data_digest"] == FACTS["data_digest"]
    assert written["versions"] == FACTS["versions"]
    assert not run.finished
    assert run.epochs() == []


def test_the_same_run_is_let_in_again(run):
    before = (run.path / "config.json").stat().st_mtime_ns
    run.save_epoch(1, {"history": []}, {1})
    claim(run.path, facts=FACTS | {"versions": {"igmc": "0.2.0"}})
    assert run.epochs() == [1]
    assert (run.path / "config.json").stat().st_mtime_ns == before


def test_an_empty_folder_is_as_good_as_a_new_one(tmp_path):
    claim(tmp_path)
    assert names(tmp_path) == ["checkpoints", "config.json"]


def test_other_settings_are_named_with_both_values(run):
    other = CONFIG.replace(
        seed=2, extract=ExtractConfig(max_nodes_per_hop=30), train=TrainConfig(learning_rate=0.01)
    )
    changes = (
        r"other settings: extract.max_nodes_per_hop \(None there, 30 now\), "
        r"train.learning_rate \(0.001 there, 0.01 now\), seed \(1 there, 2 now\); .*--out"
    )
    with pytest.raises(ConfigError, match=changes):
        claim(run.path, other)


@pytest.mark.parametrize("name", ["data_digest", "split_digest"])
def test_other_data_are_refused(run, name):
    with pytest.raises(
        DataError, match=rf"other ratings: its {name.replace('_', ' ')} differs; got '0'.*--out"
    ):
        claim(run.path, facts=FACTS | {name: "0"})


@pytest.mark.parametrize("stranger", ["thesis.doc", "checkpoints/epoch-0001.ckpt", "metrics.json"])
def test_a_folder_of_something_else_is_refused_and_left_as_it_is(tmp_path, stranger):
    (tmp_path / stranger).parent.mkdir(exist_ok=True)
    (tmp_path / stranger).write_text("mine")
    before = names(tmp_path)
    with pytest.raises(
        ConfigError, match=r"is not empty and not a run folder; got .*; allowed: an empty or new"
    ):
        claim(tmp_path)
    assert names(tmp_path) == before


def test_what_a_killed_process_was_writing_is_swept_away(run):
    (run.path / "config.json").rename(run.path / "config.json.123.partial")
    (run.path / "checkpoints").rmdir()
    claim(run.path)
    partial = run.path / "checkpoints" / "epoch-0003.ckpt.123.partial"
    partial.write_bytes(b"half")
    (run.path / "split.npzabc.partial").write_bytes(b"half")
    claim(run.path)
    assert names(run.path) == ["checkpoints", "config.json"]


def test_a_setting_that_this_version_does_not_know_names_the_file(run):
    with edited(run.path / "config.json") as value:
        value["config"]["train"]["warmup"] = 3
    with pytest.raises(CheckpointError, match=r"config\.json: unknown setting in TrainConfig; got 'warmup'"):
        run.config()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot read .*config.json"),
        (b'{"format": 1, "config"', "cannot read .*config.json"),
        (b"\xff\xfe\x00", "cannot read .*config.json"),
        (b"[]", "config.json is damaged: not a JSON object; got .*"),
        (b"{}", "config.json is damaged, or of another version"),
        (b'{"format": 1, "config": 3}', "config.json is damaged, or of another version"),
        (b'{"format": 2, "config": {}}', "another version of igmc; got 2; allowed: format 1"),
    ],
)
def test_damaged_settings_are_refused(run, content, message):
    (run.path / "config.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        claim(run.path)
    assert (run.path / "config.json").read_bytes() == content


def test_a_second_process_is_refused_while_the_first_is_at_it(run):
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.training.test_folder import claim\n"
        "from igmc.errors import IgmcError\n"
        "try: claim(Path(sys.argv[1]))\n"
        "except IgmcError as error: print(error)\n"
        "else: print('let in')\n"
    )

    with run.claimed(CONFIG, FACTS):
        with pytest.raises(IgmcError, match=r"another process is writing to .*wait until it has finished"):
            claim(run.path)
        command = [sys.executable, "-c", code, str(run.path)]
        second = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPO)
        assert "another process is writing to" in second.stdout
    claim(run.path)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(IgmcError, match=r"cannot write .*: Not a directory"):
        claim(tmp_path / "file" / "run")
    with pytest.raises(IgmcError, match=r"cannot write .*: File exists"):
        claim(tmp_path / "file")


def test_an_epoch_and_its_history(run):
    history = [{"epoch": 1, "mse": 0.1 + 0.2}, {"epoch": 2, "mse": 1e-300}]
    run.save_epoch(1, {"history": history[:1]}, {1})
    run.save_epoch(2, {"history": history, "x": torch.arange(3)}, {1, 2})
    assert run.epochs() == [1, 2]
    loaded = run.load_epoch(2)
    assert loaded["history"] == history
    assert loaded["x"].tolist() == [0, 1, 2]
    assert [json.loads(line) for line in (run.path / "metrics.jsonl").open()] == history


def test_the_last_epoch_is_the_one_to_resume_from(run):
    assert run.latest() is None
    for epoch in (2, 10):
        run.save_epoch(epoch, {"history": [{"epoch": epoch}]}, {2, 10})
    assert run.latest()["history"] == [{"epoch": 10}]
    (run.path / "checkpoints" / "epoch-0010.ckpt").write_bytes(b"half")
    with pytest.raises(CheckpointError, match=r"epoch-0010.ckpt"):
        run.latest()


def test_checkpoints_that_are_not_kept_go_once_the_new_one_is_there(run):
    for epoch in range(1, 6):
        run.save_epoch(epoch, {"history": []}, {2, epoch})
    assert run.epochs() == [2, 5]
    assert names(run.path / "checkpoints") == ["epoch-0002.ckpt", "epoch-0005.ckpt"]


def test_a_history_that_is_no_json_leaves_the_last_epoch(run):
    run.save_epoch(1, {"history": [{"epoch": 1}]}, {1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        run.save_epoch(2, {"history": [{"epoch": 1}, {"mse": float("nan")}]}, {2})
    assert run.epochs() == [1]
    assert (run.path / "metrics.jsonl").read_text() == '{"epoch": 1}\n'


def test_only_checkpoints_count_as_epochs(run):
    for name in ("epoch-0007.ckpt.99.partial", "epoch-x.ckpt", "notes.txt"):
        (run.path / "checkpoints" / name).write_text("")
    run.save_epoch(12345, {"history": []}, {12345})
    assert run.epochs() == [12345]


def test_json_and_back(run):
    assert not run.finished
    run.write_json("metrics.json", {"rmse": 0.1 + 0.2, "name": "Amélie"})
    assert run.finished
    assert run.read_json("metrics.json") == {"rmse": 0.1 + 0.2, "name": "Amélie"}
    with pytest.raises(CheckpointError, match=r"cannot read .*gone.json"):
        run.read_json("gone.json")
