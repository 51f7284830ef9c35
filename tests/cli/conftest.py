"""A home of its own for every test, a small file of ratings, and commands run in this process."""

import sys

import numpy as np
import pytest

from igmc.cli.main import _exit_code
from tests.cli.commands import COMMANDS


@pytest.fixture(scope="module", autouse=True)
def brief(brief_training):
    """What commands train is not the point here."""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The folder for downloads and stores; no real data is in sight."""
    monkeypatch.setenv("IGMC_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("IGMC_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def ratings_file(tmp_path):
    """300 ratings 1..5 of 30 users and 20 items."""
    rng = np.random.default_rng(5)
    pairs = rng.choice(30 * 20, size=300, replace=False)
    lines = [f"u{pair // 20},i{pair % 20},{rng.integers(1, 6)}\n" for pair in pairs]
    path = tmp_path / "mine.csv"
    path.write_text("user,item,rating\n" + "".join(lines))
    return path


@pytest.fixture
def command(capsys, monkeypatch):
    """Runs a command line: ``command("igmc-train", "--epochs", 3) -> (exit code, stdout, stderr)``."""

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        code = _exit_code(COMMANDS[name], name)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run
