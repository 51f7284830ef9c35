import json
from dataclasses import fields, replace

import pytest

from igmc.errors import CheckpointError
from igmc.evaluation.metrics.errors import Scores
from igmc.run_report import RunReport

REPORT = RunReport(
    dataset="demo",
    split="random",
    selection="validation",
    seed=7,
    train_pairs=9720,
    validation_pairs=1080,
    test_pairs=1200,
    epochs=14,
    seconds=61.6,
    single_epoch=4,
    single=Scores(0.91, 0.71, 0.905, 0.705, -0.386),
    ensemble_epochs=(4, 2, 9, 3),
    ensemble=Scores(0.89, 0.69, 0.885, 0.685, 0.0125),
    validation_rmse=0.92,
    references={
        "global mean": Scores(1.2, 1.0, 1.2, 1.0),
        "regularized biases": Scores(0.95, 0.75, 0.94, 0.74, 0.0),
    },
    device="cpu",
    machine="2 x a processor, Linux",
    versions={"igmc": "0.1.0"},
    folder="runs/demo",
)


def test_json_and_back():
    assert RunReport.from_dict(json.loads(json.dumps(REPORT.to_dict(), allow_nan=False))) == REPORT
    fixed = replace(REPORT, validation_rmse=None)
    assert RunReport.from_dict(json.loads(json.dumps(fixed.to_dict()))) == fixed


def test_a_report_that_calls_the_selection_a_protocol_is_read():
    values = REPORT.to_dict()
    del values["selection"]
    assert RunReport.from_dict(values | {"protocol": "validated"}) == REPORT
    with pytest.raises(CheckpointError, match="is damaged"):
        RunReport.from_dict(REPORT.to_dict() | {"protocol": "validated"})


@pytest.mark.parametrize("name", [field.name for field in fields(RunReport)])
def test_a_report_that_lacks_something_is_damaged(name):
    values = REPORT.to_dict()
    del values[name]
    if name in ("network", "intervals", "estimates", "lists"):  # which reports of earlier versions lack
        assert RunReport.from_dict(values) == REPORT
        return
    with pytest.raises(
        CheckpointError, match=f"the report of a run is damaged.*{name}.*delete its metrics.json"
    ):
        RunReport.from_dict(values)


@pytest.mark.parametrize(
    "change",
    [{"single": 3}, {"ensemble": {"rmse": 1.0}}, {"references": []}, {"ensemble_epochs": 3}],
)
def test_a_report_of_wrong_kinds_is_damaged(change):
    with pytest.raises(CheckpointError, match="is damaged"):
        RunReport.from_dict(REPORT.to_dict() | change)


def test_what_the_terminal_shows():
    assert REPORT.format().splitlines() == [
        "demo, split random, selection validation, seed 7",
        "9,720 training, 1,080 validation, 1,200 test ratings",
        "14 epochs in 62 s of training steps on cpu, checkpoints chosen on validation",
        "",
        "test error".ljust(31) + "     RMSE      MAE  mean error   clipped: RMSE      MAE",
        "IGMC, mean of epochs 2, 3, 4, 9".ljust(31)
        + "   0.8900   0.6900     +0.0125          0.8850   0.6850",
        "IGMC, epoch 4 alone".ljust(31) + "   0.9100   0.7100     -0.3860          0.9050   0.7050",
        "regularized biases".ljust(31) + "   0.9500   0.7500     +0.0000          0.9400   0.7400",
        "global mean".ljust(31) + "   1.2000   1.0000           -          1.2000   1.0000",
        "",
        "run folder: runs/demo",
        "the other network: the same command with --network neighbours and another --out",
    ]


def test_a_report_of_before_mean_errors_were_measured_is_read():
    values = json.loads(json.dumps(REPORT.to_dict()))
    for scores in (values["single"], values["ensemble"], *values["references"].values()):
        del scores["mean_error"]
    report = RunReport.from_dict(values)
    assert (report.single.rmse, report.single.mean_error) == (0.91, None)
    assert "   0.9100   0.7100           -          0.9050" in report.format()


def test_the_table_fits_into_100_columns():
    report = replace(REPORT, selection="fixed", single_epoch=130, ensemble_epochs=(130, 120, 110, 100))
    table = [line for line in report.format().splitlines() if line.startswith(("test error", "IGMC,"))]
    assert len(table) == 3
    assert max(map(len, table)) <= 100


def test_the_two_selections_are_never_mixed_up():
    fixed = replace(REPORT, selection="fixed", single_epoch=40, ensemble_epochs=(40, 30, 20, 10)).format()
    assert "selection fixed" in fixed
    assert "checkpoints at fixed epochs" in fixed
    assert "IGMC, mean of epochs 10, 20, 30, 40 " in fixed
    assert "IGMC, epoch 40 alone " in fixed
    assert "chosen on validation" not in fixed


def test_intervals_are_told_overall_and_by_activity():
    by = [{"label": "1-4", "pairs": 200, "coverage": 0.913, "width": 3.0}]
    told = {"asked": 0.9, "pairs": 1200, "coverage": 0.9025, "width": 2.781}
    report = replace(REPORT, intervals=told | {"by_user_activity": by, "by_item_activity": by})
    lines = report.format().splitlines()
    assert "90% intervals hold 90.2% of the test ratings; mean width 2.78" in lines
    assert "by known ratings of the user, coverage (width): 1-4: 91.3% (3.00)" in lines
    assert "intervals hold" not in REPORT.format()
    assert RunReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report


def test_what_was_chosen_is_told_with_its_reason():
    plain = {"estimates": "none", "rmse": 0.9231, "seconds": 20.0}
    rival = {"estimates": "svdpp,mf", "rmse": 0.915, "seconds": 31.0}
    told = rival | {"difference": -0.0081, "low": -0.012, "high": -0.004}
    chosen = {"chosen": "svdpp,mf", "pairs": 1080, "candidates": [plain, told]}
    lines = replace(REPORT, estimates=chosen).format().splitlines()
    assert any(
        line.startswith("estimates svdpp,mf, chosen on 1,080 validation ratings: RMSE 0.9231")
        for line in lines
    )
    assert "  svdpp,mf: 0.9150, difference -0.0081 [-0.0120, -0.0040], 1.6 times the time" in lines
