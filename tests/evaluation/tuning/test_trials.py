"""Trials as they are drawn and stored: the usual settings first, and nothing that an interruption changes."""

import dataclasses
import json

import optuna
import pytest

from igmc.config import Config, knob
from igmc.errors import ConfigError, DataError
from igmc.evaluation.tuning.trials import (
    STORAGE,
    Trial,
    TuningResult,
    best_of,
    by_number,
    drawn,
    ended,
    next_trial,
    open_study,
    require_optuna,
    shown,
    study_of,
)
from igmc.recommenders.search_space import OneOf, Range

IDENTITY = {"model": "some", "metric": "rmse", "seed": 1}
SPACE = {
    "rate": Range(0.001, 1.0, log=True),
    "depth": Range(1, 4),
    "layers": OneOf(([8], [8, 8])),
    "inner.kind": OneOf(("a", "b", None)),
}


@dataclasses.dataclass(frozen=True)
class Inner(Config):
    kind: str | None = knob("b", "which one it is")


@dataclasses.dataclass(frozen=True)
class Outer(Config):
    inner: Inner = dataclasses.field(default_factory=Inner)
    rate: float = knob(0.25, "how fast it is")
    depth: int = knob(9, "how deep it is")
    layers: tuple[int, ...] = knob((8,), "how wide it is")


@pytest.fixture(autouse=True)
def silent():
    require_optuna()


def opened(folder=None, *, minimize=True, **changes):
    return open_study(folder, IDENTITY | changes, minimize=minimize)


def make(study, n, *values):
    """Trials that come to these values, each of which knows those before it; what each of them drew."""
    found = []
    for k, value in enumerate(values, n):
        known = [one for number, one in by_number(study).items() if number < k]
        own = study_of(known, k, 1, minimize=True, prune=True)
        trial = next_trial(own, k, SPACE, Outer())
        found.append(drawn(trial, SPACE))
        study.add_trial(own.tell(trial, value))
    return found


def test_the_first_trial_has_the_usual_settings_where_the_space_holds_them():
    [first] = make(opened(), 0, 1.0)
    assert first["depth"] in (1, 2, 3, 4), "9 is not in the space"
    assert {k: v for k, v in first.items() if k != "depth"} == {
        "rate": 0.25,
        "layers": [8],
        "inner.kind": "b",
    }


def test_what_is_drawn_lies_in_the_space_and_is_stored_as_it_was_drawn(tmp_path):
    study = opened(tmp_path)
    found = make(study, 0, *range(12))
    for settings in found:
        assert 0.001 <= settings["rate"] <= 1.0
        assert settings["depth"] in (1, 2, 3, 4)
        assert settings["layers"] in ([8], [8, 8])
        assert settings["inner.kind"] in ("a", "b", None)
    assert len({settings["rate"] for settings in found}) == 12
    assert [trial.settings for trial in ended(opened(tmp_path))] == found


def test_a_trial_depends_on_the_seed_and_on_those_before_it_alone(tmp_path):
    whole = make(opened(), 0, *map(float, range(14)))
    parts = make(opened(tmp_path), 0, *map(float, range(12)))
    assert parts + make(opened(tmp_path), 12, 12.0, 13.0) == whole
    assert make(opened(), 0, *map(float, range(13, -1, -1)))[:10] == whole[:10], (
        "the first are drawn at random"
    )
    assert make(opened(), 0, *map(float, range(13, -1, -1)))[10:] != whole[10:], "the others learn"


def test_trials_are_told_apart_by_their_numbers_in_whatever_order_they_end(tmp_path):
    study, found = opened(tmp_path), {}
    for n in (2, 0, 1):
        own = study_of([], n, 1, minimize=True, prune=True)
        trial = next_trial(own, n, SPACE, Outer())
        found[n] = drawn(trial, SPACE)
        study.add_trial(own.tell(trial, float(n)))
    again = ended(opened(tmp_path))
    assert [(trial.number, trial.value, trial.settings) for trial in again] == [
        (n, float(n), found[n]) for n in (0, 1, 2)
    ]


def test_what_was_killed_has_not_ended_and_what_failed_by_itself_has():
    """As it was stored before trials had numbers: whatever was begun, and left."""
    study = opened()
    one = study.ask()
    drawn(one, SPACE)
    study.tell(one, 3.0)
    killed = study.ask()
    study.tell(killed, state=optuna.trial.TrialState.FAIL)
    failed = study.ask()
    failed.set_user_attr("error", "it diverged")
    failed.set_user_attr("seconds", 2.5)
    study.tell(failed, state=optuna.trial.TrialState.FAIL)
    pruned = study.ask()
    pruned.report(9.0, 1)
    study.tell(pruned, state=optuna.trial.TrialState.PRUNED)
    study.ask()  # at work when its process was killed
    found = [(trial.number, trial.state, trial.value, trial.error, trial.seconds) for trial in ended(study)]
    assert found == [
        (0, "complete", 3.0, None, 0.0),
        (1, "failed", None, "it diverged", 2.5),
        (2, "pruned", None, None, 0.0),
    ]


@pytest.mark.parametrize(("minimize", "number"), [(True, 1), (False, 0)])
def test_the_best_is_the_first_of_equally_good_ones(minimize, number):
    study = opened(minimize=minimize)
    assert best_of(study) is None
    make(study, 0, 3.0, 1.0, 3.0, 1.0)
    assert best_of(study).number == number


def test_a_folder_keeps_its_study_and_refuses_another(tmp_path):
    (tmp_path / "more").mkdir()
    make(opened(tmp_path), 0, 3.0)
    assert len(ended(opened(tmp_path))) == 1
    with pytest.raises(ConfigError, match=r"holds another study: metric \('rmse' there, 'mae' now\), extra"):
        opened(tmp_path, metric="mae", extra=[1])
    opened(tmp_path / "more", parallel=2)
    with pytest.raises(ConfigError, match=r"holds another study: parallel \(2 there, None now\)"):
        opened(tmp_path / "more")
    (tmp_path / STORAGE).write_bytes(b"no database" * 100)
    with pytest.raises(DataError, match=r"cannot read the study .*study.db"):
        opened(tmp_path)


def result(less_is_better):
    made = [
        *(Trial(n, "complete", value, {"k": n}, 1.0, None) for n, value in enumerate([3.0, 1.0, 2.0, 1.0])),
        Trial(4, "pruned", None, {"k": 4}, 1.0, None),
    ]
    return TuningResult(
        model="some",
        dataset="demo",
        protocol="random_80_20",
        seed=1,
        parallel=1,
        metric="rmse",
        less_is_better=less_is_better,
        space={"k": "0:4"},
        trials=tuple(made),
        best=made[1],
        settings={"k": 1},
        folder=None,
    )


def test_trials_are_ranked_by_the_metric_and_those_without_a_value_left_out():
    assert [trial.number for trial in result(True).ranked()] == [1, 3, 2, 0]
    assert [trial.number for trial in result(False).ranked()] == [0, 2, 1, 3]


def test_a_result_is_plain_json():
    found = json.loads(json.dumps(result(True).to_dict(), allow_nan=False))
    assert found["best"] == found["trials"][1]
    assert found["best"]["settings"] == {"k": 1}
    assert (found["protocol"], found["folder"]) == ("random_80_20", None)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.00123456, "0.001235"), (3, "3"), ("a", "a"), ([8, 8], "[8,8]"), (None, "null"), (True, "true")],
)
def test_values_are_shown_in_short(value, text):
    assert shown(value) == text
