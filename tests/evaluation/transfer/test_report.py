"""What the terminal and JSON say of a transferred model."""

import json
from dataclasses import replace

import pytest

from igmc.evaluation.metrics.errors import Scores
from igmc.evaluation.transfer.report import TransferReport

REPORT = TransferReport(
    run="runs/ml_100k",
    trained_on="ml_100k",
    epochs=(80, 70),
    dataset="flixster",
    split="monti",
    config={"adapt": "none", "percent": 1.0},
    known_ratings=23556,
    adapted_on=0,
    test_pairs=2617,
    without_neighbourhood=45,
    scale_map={"levels": {"values": [0.5, 2.0, 5.0]}, "intercept": 0.0, "slope": 1.25, "method": "ratio"},
    zero_shot=Scores(1.5, 1.25, 1.4, 1.2, -0.25),
    adapted=None,
    intervals={"zero_shot": (1.4, 1.6)},
    references={"global mean": Scores(1.1, 0.9, 1.1, 0.9), "biases": Scores(0.9, 0.7, 0.9, 0.7, 0.01)},
    seconds=3.5,
    machine="2 x a processor, Linux",
    versions={"igmc": "0.2.0"},
)


def test_what_the_terminal_shows():
    assert REPORT.format().splitlines() == [
        "ml_100k -> flixster, split monti",
        "23,556 known ratings, 2,617 test ratings, 45 of them of a user or item without known ratings",
        "levels of mean rating 0.5, 2, 5; a prediction p means 0 + 1.25 p (ratio)",
        "",
        "test error           RMSE       MAE  mean error  clipped: RMSE       MAE",
        "IGMC, unchanged    1.5000    1.2500     -0.2500         1.4000    1.2000",
        "biases             0.9000    0.7000     +0.0100         0.9000    0.7000",
        "global mean        1.1000    0.9000           -         1.1000    0.9000",
    ]


@pytest.mark.parametrize(("adapt", "words"), [("calibrate", "calibrated"), ("finetune", "fine-tuned")])
def test_an_adapted_model_has_a_line_that_says_how(adapt, words):
    config = {"adapt": adapt, "percent": 0.5}
    adapted = replace(REPORT, config=config, adapted=Scores(1.0, 0.8, 1.0, 0.8), adapted_on=1178)
    line = adapted.format().splitlines()[6]
    assert line.startswith(f"IGMC, {words} on 1,178 ratings (0.5 %)  ")
    assert "1.0000" in line
    assert len(line) <= 100


def test_it_is_plain_json():
    found = REPORT.to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["epochs"], found["intervals"], found["adapted"]) == (
        [80, 70],
        {"zero_shot": [1.4, 1.6]},
        None,
    )
    assert found["zero_shot"] == {
        "rmse": 1.5,
        "mae": 1.25,
        "rmse_clipped": 1.4,
        "mae_clipped": 1.2,
        "mean_error": -0.25,
    }


def test_refitted_estimates_are_told_from_an_unchanged_model():
    report = replace(REPORT, network="neighbours", estimates={"mf": Scores(0.95, 0.8, 0.94, 0.8, 0.0)})
    lines = report.format().splitlines()
    assert any(line.startswith("neighbours, unchanged weights, refitted estimates") for line in lines)
    assert [line.split("  ")[0] for line in lines[-3:]] == ["biases", "mf alone, fitted there", "global mean"]
    assert "refitted" not in REPORT.format()
    assert json.loads(json.dumps(report.to_dict()))["estimates"]["mf"]["rmse"] == 0.95
