"""``igmc-serve`` before it serves: what it refuses, and how it says so. `tests.web.test_server` runs it."""

import sys

import pytest
from click.testing import CliRunner

from igmc.cli.serve import serve_command
from igmc.errors import CheckpointError, ConfigError, IgmcError, MissingExtraError


def called(*arguments, **environment):
    """What a call ends with."""
    environment = {"IGMC_TOKEN": None, **environment}
    return CliRunner(env=environment).invoke(serve_command, arguments)


@pytest.mark.parametrize("arguments", [[], ["--run", "x", "--demo"]])
def test_it_wants_to_know_which_model_answers(arguments):
    done = called(*arguments)
    assert done.exit_code == 2
    assert "either --run DIR or --demo" in done.output


def test_other_machines_need_a_token_which_may_come_from_the_environment(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ConfigError, match="needs a token"):
        raise called("--run", str(tmp_path), "--host", "0.0.0.0", "--port", "0").exception
    for how in (
        called("--run", str(tmp_path), "--port", "0", IGMC_TOKEN="short"),
        called("--run", str(tmp_path), "--port", "0", "--token", "short"),
    ):
        with pytest.raises(ConfigError, match="token is too short"):
            raise how.exception
    with pytest.raises(CheckpointError, match="no checkpoint yet"):  # the token will do
        raise called(
            "--run", str(tmp_path), "--host", "0.0.0.0", "--port", "0", IGMC_TOKEN="s" * 16
        ).exception


def test_a_limit_out_of_range_is_told_by_its_option(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ConfigError, match="threads is out of range; got 0"):
        raise called("--run", str(tmp_path), "--threads", "0").exception


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--split", "50"], "--split shares the users among several runs"),
        (["--shadow", "RUN"], "give --answer-log FILE too"),
        (["--log-ids", "hashed"], "set IGMC_LOG_KEY"),
    ],
)
def test_what_an_experiment_lacks_is_said_before_anything_is_loaded(arguments, said, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    given = [str(tmp_path) if word == "RUN" else word for word in arguments]
    done = called("--run", str(tmp_path), *given, IGMC_LOG_KEY=None)
    assert done.exit_code == 2
    assert said in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--split", "half"], r"--split is not a list of percentages; got 'half'"),
        (["--split", "50,60"], r"shares of users do not fit the runs; got '50, 60'"),
        (["--answer-log", "x/y.log"], r"cannot write x/y.log"),
        (["--answer-log", "LOG", "--log-ids", "hashed"], r"key of hashed ids is too short"),
        (["--shadow", "nowhere", "--answer-log", "LOG"], r"nowhere"),
    ],
)
def test_an_experiment_that_cannot_be_is_refused_before_a_run_is_loaded(arguments, said, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    run = ["--run", str(tmp_path)]
    given = [str(tmp_path / "log") if word == "LOG" else word for word in arguments]
    with pytest.raises(IgmcError, match=said):
        raise called(*run, *run, *given, "--port", "0", IGMC_LOG_KEY="short").exception


def test_without_the_extra_it_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text("{}")
    for name in [name for name in sys.modules if name.startswith("igmc.web")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fastapi", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'igmc\[web\]'"):
        raise called("--run", str(tmp_path)).exception
