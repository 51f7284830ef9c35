"""Which checkpoints predict: of a finished run, of one that is under way, and of a folder that is no run."""

import json
import shutil

import pytest

from igmc.config import ModelConfig, RunConfig, TrainConfig
from igmc.errors import CheckpointError, ConfigError
from igmc.inference.checkpoints import open_run, pick_epochs
from igmc.training.ensemble import chosen_epochs
from igmc.training.folder import RunFolder

MODEL = ModelConfig(layers=(8, 8), mlp_width=8)


@pytest.fixture
def unfinished(demo_run, tmp_path):
    """A copy of the run as it was before its test part was scored."""
    folder = shutil.copytree(demo_run, tmp_path / "unfinished")
    (folder / "metrics.json").unlink()
    return RunFolder(folder)


def config_of(folder) -> TrainConfig:
    return RunConfig.from_dict(folder.settings()["config"]).train


def test_a_finished_run_answers_with_the_checkpoints_of_its_report(demo_run):
    folder = open_run(demo_run)
    report = json.loads((demo_run / "metrics.json").read_text())
    assert pick_epochs(folder, config_of(folder)) == report["ensemble_epochs"]
    assert pick_epochs(folder, config_of(folder), "ensemble") == report["ensemble_epochs"]
    assert pick_epochs(folder, config_of(folder), "single") == [report["single_epoch"]]
    for epoch in folder.epochs():
        assert pick_epochs(folder, config_of(folder), epoch) == [epoch]


def test_a_run_under_way_answers_with_its_best_checkpoint_so_far(unfinished):
    config = config_of(unfinished)
    history = unfinished.load_epoch(unfinished.epochs()[-1])["history"]
    best = chosen_epochs(config, [record["validation_rmse"] for record in history])[0]
    assert pick_epochs(unfinished, config) == pick_epochs(unfinished, config, "single") == [best]
    with pytest.raises(ConfigError, match=r"unfinished.*got 'ensemble'; allowed: single, or .*use 'single'"):
        pick_epochs(unfinished, config, "ensemble")


def test_at_fixed_epochs_the_last_checkpoint_is_the_single_one(unfinished):
    config = config_of(unfinished).replace(selection="fixed", epochs=80)
    assert pick_epochs(unfinished, config) == unfinished.epochs()[-1:]


@pytest.mark.parametrize("choice", [99, 0, "best", ""])
def test_a_checkpoint_that_is_not_there(demo_run, choice):
    folder = open_run(demo_run)
    with pytest.raises(
        ConfigError, match=r"no such checkpoint; got .*; allowed: ensemble, single, or one of"
    ):
        pick_epochs(folder, config_of(folder), choice)


def test_what_is_no_run_folder(tmp_path, unfinished):
    with pytest.raises(CheckpointError, match=r"is not a run folder: it has no config.json; .*igmc-train"):
        open_run(tmp_path / "nowhere")
    shutil.rmtree(unfinished.path / "checkpoints")
    with pytest.raises(CheckpointError, match="has no checkpoint yet"):
        open_run(unfinished.path)
