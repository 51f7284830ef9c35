"""``igmc-serve`` before it serves: what it refuses, and how it says so. `tests.web.test_server` runs it."""

import sys

import pytest
from click.testing import CliRunner

from igmc.cli.serve import serve_command
from igmc.errors import CheckpointError, ConfigError, MissingExtraError


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


def test_without_the_extra_it_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text("{}")
    for name in [name for name in sys.modules if name.startswith("igmc.web")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fastapi", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'igmc\[web\]'"):
        raise called("--run", str(tmp_path)).exception
