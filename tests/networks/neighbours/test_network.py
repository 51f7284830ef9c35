"""The neighbours network as a product: train, resume, predict, recommend, explain, transfer."""

import json

import numpy as np
import pandas as pd
import pytest

import igmc
from igmc.config import NeighboursConfig, RunConfig
from igmc.errors import ConfigError
from igmc.networks.registry import NETWORKS

SETTINGS = {
    "network": "neighbours",
    "data": {"dataset": "demo"},
    "neighbours": {"epochs": 2, "members": 1, "max_neighbors": 20},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("neighbours") / "run"
    return igmc.train(RunConfig.from_dict(SETTINGS), out=folder, device="cpu", progress=False)


def test_every_network_that_a_setting_names_is_there():
    known = RunConfig.__dataclass_fields__["network"].metadata["choices"]
    assert set(NETWORKS) == set(known)


def test_it_learns_more_than_biases_and_says_how_the_other_is_run(run):
    assert run.network == "neighbours"
    assert run.single.rmse < 0.75 < 1.0 < run.references["regularized biases"].rmse
    text = run.format()
    assert f"neighbours, epoch {run.single_epoch} alone" in text
    assert "--network rgcn" in text
    assert "IGMC" not in text


def test_the_folder_holds_settings_of_this_network_alone(run):
    stored = json.loads((igmc_path(run) / "config.json").read_text())["config"]
    assert set(stored) == {"network", "data", "neighbours", "seed"}
    assert RunConfig.from_dict(stored) == RunConfig.from_dict(SETTINGS)


def igmc_path(run):
    from pathlib import Path

    return Path(run.folder)


def test_the_same_command_again_reports_what_is_there(run):
    again = igmc.train(RunConfig.from_dict(SETTINGS), out=run.folder, device="cpu", progress=False)
    assert again == run


def test_predictor_answers_as_the_run_did(run):
    predictor = igmc.Predictor.from_run(run.folder)
    frame = pd.read_csv(igmc_path(run) / "predictions.csv.gz").head(50)
    found = predictor.predict(frame.user_id, frame.item_id, clip=False)
    assert set(found.source) == {"model"}
    assert found.score.to_numpy() == pytest.approx(frame.single.to_numpy(), abs=1e-4)


def test_opposite_newcomers_get_other_lists(run):
    predictor = igmc.Predictor.from_run(run.folder)
    likes = {"f001": 5, "f002": 1, "f003": 5, "f004": 1, "f010": 5, "f011": 1}
    hates = {item: 6 - mark for item, mark in likes.items()}
    lists = [igmc.recommend(predictor, ratings=marks, k=10) for marks in (likes, hates)]
    assert len(set(lists[0].item) & set(lists[1].item)) <= 5
    lasting = predictor.add_ratings(
        {"user_id": ["me"] * 6, "item_id": list(likes), "rating": list(likes.values())}
    )
    items = list(lists[0].item)
    asked = lasting.predict(["me"] * 10, items).score.to_numpy()
    assert asked == pytest.approx(predictor.score_user(likes, items).score.to_numpy(), abs=0.15)


@pytest.mark.parametrize("method", ["occlusion", "gradient"])
def test_an_explanation_names_neighbours_with_their_ratings(run, method):
    predictor = igmc.Predictor.from_run(run.folder)
    found = igmc.explain(predictor, None, "f020", ratings={"f001": 5, "f002": 1, "f003": 4}, method=method)
    assert found.source == "model"
    assert len(found.items) == 4
    assert 2 <= len(found.users) <= 13
    weights = [abs(edge.importance) for edge in found.edges]
    assert weights == sorted(weights, reverse=True)
    assert {edge.rating for edge in found.edges if edge.user == 0} == {5.0, 1.0, 4.0}
    assert "f020" in found.format() or found.items[0].title in found.format()


def test_transfer_needs_no_training_there(run, data_root):
    report = igmc.transfer(run.folder, "flixster", data_dir=data_root)
    assert report.zero_shot.rmse < 1.1
    how = igmc.TransferConfig(adapt="finetune")
    with pytest.raises(ConfigError, match="cannot be trained further"):
        igmc.transfer(run.folder, "flixster", how, data_dir=data_root)


@pytest.mark.parametrize("name", [name for name in NeighboursConfig.__dataclass_fields__ if name != "epochs"])
def test_settings_of_the_other_network_are_refused(name):
    with pytest.raises(ConfigError, match="train holds settings of the network rgcn"):
        RunConfig.from_dict({"network": "neighbours", "train": {"epochs": 3}})
    with pytest.raises(ConfigError, match="neighbours holds settings of the network neighbours"):
        RunConfig.from_dict({"network": "rgcn", "neighbours": {name: NeighboursConfig().to_dict()[name]}})


def test_two_opposite_users_do_not_share_the_mean(run):
    predictor = igmc.Predictor.from_run(run.folder)
    scores = predictor.score_user({"f001": 5}, predictor.items.ids).score.to_numpy()
    assert np.std(scores) > 0.1
