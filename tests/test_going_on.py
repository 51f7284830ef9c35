"""Training goes on: a finished run with more epochs, and a new one with the weights of another."""

import json
import logging

import pandas as pd
import pytest
import torch

import igmc
from igmc.errors import CheckpointError, ConfigError
from igmc.run import train
from igmc.training import load_checkpoint
from tests.conftest import SMALL_RUN

FEW = {"dataset": "demo", "keep_ratio": 0.1}
QUICK = {"progress": False, "device": "cpu", "workers": 1}
STEPS = {"batch_size": 200, "ensemble_size": 2, "ensemble_every": 1, "selection": "fixed"}


def rgcn(out, epochs, **settings):
    sections = {**SMALL_RUN, "data": FEW, "train": {**STEPS, "epochs": epochs, **settings}}
    return train(sections, out=out, **QUICK)


def neighbours(out, epochs, data="demo", **options):
    small = {"pairs_per_epoch": 400, "members": 1, "max_neighbors": 10, "estimates": "none"}
    return train(data, out=out, epochs=epochs, **small, **QUICK, **options)


def weights(folder, epoch):
    return load_checkpoint(folder / "checkpoints" / f"epoch-{epoch:04d}.ckpt")["model"]


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("once")
    return folder / "run", neighbours(folder / "run", 1)


@pytest.mark.parametrize("selection", ["fixed", "validation"])
def test_the_papers_network_ends_as_with_so_many_epochs_at_once(tmp_path, selection):
    rgcn(tmp_path / "more", 2, selection=selection)
    more = rgcn(tmp_path / "more", 3, selection=selection)
    whole = rgcn(tmp_path / "whole", 3, selection=selection)
    assert more.ensemble_epochs == whole.ensemble_epochs
    assert more.ensemble == whole.ensemble
    left, right = (weights(tmp_path / name, 3) for name in ("more", "whole"))
    assert all(torch.equal(left[name], right[name]) for name in left)
    told = json.loads((tmp_path / "more" / "config.json").read_text())
    assert told["continued"] == [2]
    assert told["config"]["train"]["epochs"] == 3


def test_a_mean_over_checkpoints_that_were_not_kept_is_refused_before_anything_is_lost(tmp_path):
    rgcn(tmp_path, 2, ensemble_every=2)
    before = (tmp_path / "metrics.json").read_bytes()
    with pytest.raises(ConfigError, match=r"got 'epochs 1'; allowed: 2 epochs and a multiple of 2 more"):
        rgcn(tmp_path, 3, ensemble_every=2)
    assert (tmp_path / "metrics.json").read_bytes() == before


def test_neighbours_goes_on_with_the_rest_of_a_longer_cycle_and_says_so(tmp_path, caplog):
    neighbours(tmp_path, 2)
    with caplog.at_level(logging.INFO, logger="igmc"):
        report = neighbours(tmp_path, 3)
    assert report.epochs == 3
    assert "since epochs 1 to 2 were a whole cycle, it does not end as 3 epochs at once" in caplog.text


def test_fewer_epochs_other_settings_or_an_unfinished_run_are_refused(once):
    folder, _ = once
    with pytest.raises(ConfigError, match="a finished run may be given more --epochs"):
        train("demo", out=folder, epochs=3, pairs_per_epoch=300, members=1, max_neighbors=10, **QUICK)
    metrics = (folder / "metrics.json").read_bytes()
    (folder / "metrics.json").unlink()
    with pytest.raises(ConfigError, match="holds a run with other settings"):
        neighbours(folder, 2)
    (folder / "metrics.json").write_bytes(metrics)


def test_a_run_begins_with_the_weights_of_another(once, tmp_path):
    folder, report = once
    started = neighbours(tmp_path / "started", 1, start=report)
    told = json.loads((tmp_path / "started" / "config.json").read_text())["start"]
    assert (told["run"], told["epoch"]) == (str(folder), 1)
    fresh, after = weights(folder, 1), weights(tmp_path / "started", 1)
    assert any(not torch.equal(fresh[name], after[name]) for name in fresh), "it was trained"
    assert started.ensemble.rmse < report.ensemble.rmse, "on the same data it is as if trained for longer"
    assert neighbours(tmp_path / "started", 1, start=report).ensemble == started.ensemble, "done before"
    with pytest.raises(ConfigError, match="holds a run that began with other weights"):
        neighbours(tmp_path / "started", 1)


def test_a_run_on_a_frame_can_begin_with_one_of_the_demo(once, tmp_path):
    table = igmc.load_dataset("demo").table
    frame = pd.DataFrame(
        {"user": table.user[:3000], "item": table.item[:3000], "rating": table.rating[:3000] * 2}
    )
    assert neighbours(tmp_path, 1, data=frame, start=once[0]).dataset == "frame"


def test_what_cannot_be_begun_with_is_said(once, tmp_path):
    folder, _ = once
    with pytest.raises(ConfigError, match="cannot start one of another network; got 'neighbours'"):
        train("demo", network="rgcn", start=folder, out=tmp_path / "a", **QUICK)
    with pytest.raises(ConfigError, match="network of another shape"):
        train("demo", start=folder, members=2, epochs=1, out=tmp_path / "b", **QUICK)
    with pytest.raises(CheckpointError, match="is not a run folder"):
        train("demo", start=tmp_path / "nowhere", out=tmp_path / "c", **QUICK)


@pytest.mark.parametrize("wrong", [3, None, ["demo"], object()])
def test_what_is_no_data_set_is_refused(wrong):
    with pytest.raises(ConfigError, match=r"this is not a data set.*a DataFrame"):
        train(wrong)


def test_settings_are_given_by_name_or_section_and_misspelt_ones_are_said(tmp_path):
    with pytest.raises(ConfigError, match="unknown setting in RunConfig; got 'epoch'"):
        train("demo", epoch=3)
    with pytest.raises(ConfigError, match=r"NeighboursConfig\.epochs is out of range; got 0"):
        train(igmc.DataConfig(), neighbours={"epochs": 0})


def test_a_report_stands_for_its_run(once):
    folder, report = once
    assert str(report) == report.format()
    assert repr(report) == f"RunReport(demo, neighbours: test RMSE {report.ensemble.rmse:.4f}, {folder})"
    listed = report.predictor().recommend(ratings={"f001": 5}, k=2)
    assert listed.equals(igmc.recommend(report, ratings={"f001": 5}, k=2))
