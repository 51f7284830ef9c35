"""A run without ratings: it makes lists, for newcomers too, and says that it predicts none."""

import json

import numpy as np
import pandas as pd
import pytest

import igmc
from igmc.config import run_config
from igmc.errors import ConfigError, DataError
from igmc.inference.lists import ListRequest, recommend_all, recommend_parts
from igmc.training import RunFolder
from tests.clicks import QUICK, click_dataset, click_run, click_table, kinds


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return click_run(tmp_path_factory.mktemp("clicks") / "run")


@pytest.fixture(scope="module")
def predictor(run):
    return igmc.Predictor.from_run(run.folder, device="cpu")


def test_implicit_data_are_trained_with_the_ranker_and_measured_by_lists(run):
    assert run.network == "ranker"
    assert run.single is run.ensemble is None
    assert set(run.lists["models"]) == {"ranker", "popularity", "EASE"}
    assert run.lists["models"]["ranker"]["ndcg"] > run.lists["models"]["popularity"]["ndcg"]
    assert run.figures().keys() == {"test_ndcg@10", "test_recall@10", "test_precision@10"}
    page = run.format()
    assert "lists of 10 unseen items" in page
    assert "RMSE" not in page
    assert type(run).from_dict(json.loads(json.dumps(run.to_dict()))) == run
    assert repr(run).startswith("RunReport(clicks, ranker: test ndcg@10 0.")


def test_newcomers_need_no_ratings(predictor):
    found = predictor.recommend(ratings=["i0", "i3", "i6"], k=5)
    assert kinds(found.item_id) == [0] * 5
    assert not {"i0", "i3", "i6"} & set(found.item_id)
    assert list(found.columns) == ["user_id", "item_id", "rank", "title", "genres", "year", "relevance"]
    assert found.relevance.is_monotonic_decreasing
    same = igmc.recommend(predictor, ratings={"i0": 1, "i3": 1, "i6": 1}, k=5)
    pd.testing.assert_frame_equal(found, same)
    lasting = predictor.add_ratings({"user_id": ["me"], "item_id": ["i1"], "rating": [1]})
    assert kinds(lasting.recommend("me", k=3).item_id) == [1] * 3
    assert len(predictor.recommend(ratings=[], k=2)) == 2


def test_known_users_get_what_they_have_not_chosen(predictor):
    known = set(click_table().query("user == 'u3'").item)
    rows = predictor.graph.by_user.row(int(predictor.users.encode(["u3"])[0]))[0]
    assert set(predictor.items.decode(rows)) <= known
    assert not set(predictor.items.decode(rows)) & set(predictor.recommend("u3", k=8).item_id)
    varied = predictor.recommend("u3", k=4, diversity=0.9, exclude=["i0"])
    assert len(varied) == 4
    assert "i0" not in set(varied.item_id)


@pytest.mark.parametrize(
    "asked", [{"order": "score"}, {"order": "blend"}, {"order": "lift"}, {"min_score": 1}, {"bottom": True}]
)
def test_what_is_about_predicted_ratings_is_refused(predictor, asked):
    with pytest.raises(ConfigError, match="predicts no ratings, and lists by relevance alone"):
        predictor.recommend("u3", **asked)


def test_ratings_are_neither_predicted_nor_explained(predictor, tmp_path):
    refused = [
        lambda: predictor.predict("u3", "i1"),
        lambda: predictor.predict("nobody", "i1"),
        lambda: predictor.score_user({"i2": 1}, ["i1"]),
        lambda: predictor.explain("u3", "i1"),
        lambda: predictor.recommend("u3", because=True),
    ]
    for one in refused:
        with pytest.raises(ConfigError, match=r"makes lists and predicts no ratings.*--network neighbours"):
            one()
    with pytest.raises(DataError, match="a rating is not on the scale; got 5; allowed: 1"):
        predictor.recommend(ratings={"i1": 5})


def test_lists_of_all_users_have_no_scores(predictor, tmp_path):
    written = recommend_all(predictor, tmp_path / "lists.csv", ListRequest(ratings=[]), progress=False)
    assert written.users == len(predictor.users)
    assert "score" not in pd.read_csv(tmp_path / "lists.csv")
    recommend_parts(predictor, tmp_path / "parts", ListRequest(ratings=[]), progress=False)
    part = pd.read_parquet(tmp_path / "parts" / "part-00000.parquet")
    assert part.item_id.tolist() == pd.read_csv(tmp_path / "lists.csv").item_id.tolist()
    assert not {"score", "source", "low"} & set(part)


def test_similar_items_are_those_of_the_same_people(predictor):
    found = predictor.similar_items("i0", 5)
    assert kinds(found.item_id) == [0] * 5
    mine, other = (
        set(predictor.graph.by_item.row(int(k))[0]) for k in predictor.items.encode(["i0", found.item_id[0]])
    )
    both = len(mine & other)
    expected = both / np.sqrt(len(mine) * len(other)) * both / (both + 5)
    np.testing.assert_allclose(found.similarity[0], expected)


def test_killed_before_its_report_it_is_not_trained_again(run, tmp_path, monkeypatch):
    def killed(self, name, value):
        if name == "metrics.json":
            raise KeyboardInterrupt
        write(self, name, value)

    write = RunFolder.write_json
    monkeypatch.setattr(RunFolder, "write_json", killed)
    with pytest.raises(KeyboardInterrupt):
        click_run(tmp_path / "run")
    unfinished = igmc.Predictor.from_run(tmp_path / "run", device="cpu")
    monkeypatch.setattr(RunFolder, "write_json", write)
    monkeypatch.setattr("igmc.networks.ranker.fit_ranker", None)
    assert click_run(tmp_path / "run").lists == run.lists
    assert unfinished.recommend("u3").item_id.tolist() == igmc.recommend(run, user_id="u3").item_id.tolist()


def test_the_network_must_suit_the_data(tmp_path):
    assert run_config("clicks.csv", {"implicit": True}).network == "ranker"
    assert run_config("clicks.csv", {"implicit": True, "network": "rgcn"}).network == "rgcn"
    with pytest.raises(DataError, match=r"neighbours predicts ratings.*--network ranker"):
        igmc.train(click_dataset(), network="neighbours", out=tmp_path / "a", progress=False)
    same = click_table().assign(rating=4)
    with pytest.raises(DataError, match=r"predicts ratings, and all of them are 4; .*--implicit"):
        igmc.train(same, out=tmp_path / "b", progress=False)


def test_rated_data_give_lists_too(tmp_path):
    rated = click_table().assign(rating=lambda frame: 1 + np.arange(len(frame)) % 5)
    report = igmc.train(rated, network="ranker", out=tmp_path / "run", device="cpu", progress=False, **QUICK)
    found = report.predictor(device="cpu").recommend(ratings={"i0": 5, "i3": 4}, k=3)
    assert kinds(found.item_id) == [0] * 3
    with pytest.raises(DataError, match="a rating is not a number; allowed: 1, 2, 3, 4, 5"):
        report.predictor(device="cpu").recommend(ratings=["i0"])
