"""Which estimates are read is chosen on validation: by what is better than chance, never on test ratings."""

import dataclasses
import json

import numpy as np
import pytest
import torch

import igmc
from igmc.config import NeighboursConfig, RunConfig
from igmc.errors import ConfigError
from igmc.networks.neighbours import estimates_choice
from igmc.networks.neighbours.estimates_choice import choose_estimates, compared
from igmc.ratings import Pairs
from tests.networks.neighbours.test_scoring import GRAPH, SCALE

pytestmark = pytest.mark.usefixtures("brief_training")

RNG = np.random.default_rng(2)
VALID = Pairs(
    RNG.integers(0, 60, 200).astype(np.int32),
    RNG.integers(0, 40, 200).astype(np.int32),
    RNG.integers(1, 6, 200).astype(np.float32),
)
CONFIG = NeighboursConfig(epochs=1, members=1, max_neighbors=5, estimates="auto", dates="none")
SETTINGS = {
    "network": "neighbours",
    "data": {"dataset": "demo"},
    "neighbours": {"epochs": 1, "members": 1, "max_neighbors": 5, "estimates": "auto", "dates": "none"},
}


def test_the_interval_of_a_difference_goes_by_users():
    """A hundred pairs of two users say no more than two numbers do."""
    user = np.repeat(np.arange(2, dtype=np.int32), 50)
    first, second = np.where(user == 0, 1.0, 1.2), np.full(100, 1.44)
    told = compared(first, second, user)
    unit = np.sqrt(1.1) + 1.2
    assert told["difference"] == pytest.approx(-0.34 / unit)
    assert told["high"] - told["difference"] == pytest.approx(1.96 * 0.1 / unit, rel=1e-3)
    apart = compared(first, second, np.arange(100, dtype=np.int32))
    assert apart["high"] - apart["low"] < 0.3 * (told["high"] - told["low"])
    assert compared(first, second, np.zeros(100, np.int32))["high"] > 1e6, "one user tells nothing"


def test_it_simulates_as_often_as_it_says():
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(400):
        user = rng.integers(0, 60, 600).astype(np.int32)
        first = rng.exponential(size=600) + rng.exponential(size=60)[user]
        told = compared(first, rng.exponential(size=600) + 1.0, user)
        inside += told["low"] <= 0 <= told["high"]
    assert inside / 400 == pytest.approx(0.94, abs=0.035)


@pytest.fixture
def chosen(monkeypatch):
    """What is chosen of candidates whose worth is laid down."""

    def choose(*worth):
        answers = iter(worth)
        monkeypatch.setattr(estimates_choice, "worth_it", lambda *_: next(answers))
        return choose_estimates(
            GRAPH, SCALE, None, VALID, CONFIG, torch.device("cpu"), seed=1, progress=False, threads=1
        )

    return choose


def test_the_usual_ones_are_taken_if_worth_it_then_the_cheaper_ones_then_none(chosen):
    for worth, expected in (([True], "svdpp,mf"), ([False, True], "mf"), ([False, False], "none")):
        found = chosen(*worth)
        assert found.config == CONFIG.replace(estimates=expected)
        assert found.record["chosen"] == expected
        assert [one["estimates"] for one in found.record["candidates"]] == ["none", "svdpp,mf", "mf"][
            : 1 + len(worth)
        ]
        assert found.checkpoints.latest()["history"][0]["epoch"] == 1
    assert json.loads(json.dumps(found.record)) == found.record


@pytest.mark.parametrize("validation", [None, Pairs(*(np.empty(0, np.int32),) * 2, np.empty(0, np.float32))])
def test_without_validation_ratings_nothing_is_chosen(validation):
    with pytest.raises(ConfigError, match="chosen on validation ratings, but there are none"):
        choose_estimates(GRAPH, SCALE, None, validation, CONFIG, torch.device("cpu"), seed=1)
    with pytest.raises(ConfigError, match="which fixed epochs learn from"):
        CONFIG.replace(selection="fixed")


def test_a_run_keeps_what_it_chose_and_goes_on_with_what_was_trained(tmp_path, monkeypatch):
    monkeypatch.setattr(estimates_choice, "worth_it", lambda *_: False)
    trained = []
    fit = estimates_choice.fit_neighbours

    def counted(*args, **how):
        trained.append(args[2].estimates)
        return fit(*args, **how)

    monkeypatch.setattr(estimates_choice, "fit_neighbours", counted)
    report = igmc.train(RunConfig.from_dict(SETTINGS), out=tmp_path / "run", device="cpu", progress=False)
    assert trained == ["none", "svdpp,mf", "mf"]
    assert report.estimates["chosen"] == "none"
    assert "estimates none, chosen on" in report.format()
    assert "times the time" in report.format()
    again = igmc.train(RunConfig.from_dict(SETTINGS), out=tmp_path / "run", device="cpu", progress=False)
    assert again.estimates == report.estimates
    assert len(trained) == 3
    predictor = igmc.Predictor.from_run(tmp_path / "run")
    assert predictor.scorer.known.estimates.names == ()
    named = dataclasses.replace(RunConfig.from_dict(SETTINGS).neighbours, estimates="none")
    other = igmc.train(
        RunConfig.from_dict(SETTINGS).replace(neighbours=named),
        out=tmp_path / "named",
        device="cpu",
        progress=False,
    )
    assert other.single == report.single, "as if none had been asked for"
