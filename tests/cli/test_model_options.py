"""Which model answers: a run, or the demo's."""

import pytest

import igmc.run
from igmc.cli.model_options import make_predictor
from igmc.config import run_config

SMALL = run_config("demo", {"neighbours": {"epochs": 1, "members": 1, "max_neighbors": 10}})


def test_the_demo_answers_at_once_for_a_newcomer_and_for_its_users(command, home, monkeypatch):
    monkeypatch.setattr(igmc.run, "run_config", lambda name: SMALL)
    code, out, err = command("igmc-recommend", "--demo", "-k", 3)
    assert code == 0
    assert len(out.splitlines()) == 4
    assert "rated 5: f087, The Last Ferry (2014) (Fantasy|Sci-Fi)" in err
    assert "training a model on the data set demo, once, in " in err
    assert (home / "demo-run").is_dir()
    code, out, err = command("igmc-recommend", "--demo", "--user", 3, "-k", 3, "-q")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 4
    code, out, err = command("igmc-predict", "--demo", "--user", 3, "--items", "f001,f002")
    assert (code, len(out.splitlines()), err) == (0, 3, "")
    code, out, err = command("igmc-explain", "--demo", "--user", 3, "--item", "f005")
    assert (code, err) == (0, "")
    assert out.startswith("The Paper Lantern (2007), user 3: ")


ASKING = {
    "igmc-predict": ("--user", 3, "--items", "f001"),
    "igmc-recommend": ("--user", 3),
    "igmc-explain": ("--user", 3, "--item", "f001"),
    "igmc-serve": ("--port", 0),
}


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize("which", [(), ("--run", "x", "--demo")], ids=["none", "both"])
def test_every_command_that_asks_a_run_wants_just_one(command, home, name, which):
    code, out, err = command(name, *which, *ASKING[name])
    assert (code, out) == (2, "")
    assert err == f"{name}: error: no model given: use either --run DIR or --demo; see {name} -h\n"


@pytest.mark.parametrize("name", ASKING)
def test_every_command_that_asks_a_run_says_so_when_there_is_none(command, home, name):
    code, out, err = command(name, "--run", "nowhere", *ASKING[name])
    assert (code, out) == (3, "")
    assert "nowhere is not a run folder: it has no config.json; hint: give the run folder that" in err


GIVEN = {"demo": False, "checkpoints": None, "device": "cpu", "workers": 1, "data_dir": None, "home": None}


def test_the_predictor_is_that_of_the_run_with_the_checkpoints_asked(demo_run):
    for choice, count in ((None, 2), ("ensemble", 2), ("single", 1)):
        run, predictor = make_predictor(GIVEN | {"run": demo_run, "checkpoints": choice})
        assert (run, len(predictor.epochs), len(predictor.users)) == (demo_run, count, 300)
    assert make_predictor(GIVEN | {"run": demo_run, "checkpoints": 3})[1].epochs == (3,)


def test_the_demo_is_trained_in_the_home_that_is_given(demo_run, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(
        igmc.run, "demo_run", lambda home, *, progress: asked.append((home, progress)) or demo_run
    )
    run, _ = make_predictor(GIVEN | {"run": None, "demo": True, "home": tmp_path, "quiet": True})
    assert (run, asked) == (demo_run, [(tmp_path, False)])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("best", "got 'best'; allowed: ensemble, single, or one of the epochs"),
        ("9", "got 9; allowed: ensemble, single, or one of the epochs"),
        ("-1", "got '-1'; allowed"),
    ],
)
def test_a_checkpoint_that_is_not_there_is_answered_with_those_that_are(
    command, home, demo_run, text, message
):
    code, out, err = command("igmc-recommend", "--run", demo_run, "--user", 3, "--checkpoints", text)
    assert (code, out) == (2, "")
    assert f"has no such checkpoint; {message}" in err


@pytest.mark.parametrize("name", ["igmc-predict", "igmc-recommend", "igmc-explain"])
def test_rounding_needs_ratings_to_round(command, name):
    code, _, err = command(name, "--demo", *ASKING[name], "--round-ratings")
    assert (code, "--round-ratings applies to --ratings" in err) == (2, True)
