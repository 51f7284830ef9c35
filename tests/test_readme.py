"""What the README shows works: its Python runs, its commands parse, its links lead somewhere."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

from igmc.ratings.demo import make_demo
from tests.cli.commands import COMMANDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def command_lines() -> list[str]:
    lines = "\n".join(blocks("bash")).splitlines()
    parts = [part.strip() for line in lines for part in line.split("&&")]
    return [part for part in parts if part.partition(" ")[0] in COMMANDS]


@pytest.mark.parametrize("line", command_lines())
def test_commands_parse(line):
    words = shlex.split(line, comments=True)
    command = COMMANDS[words.pop(0)]
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context("x", words)


def write_tables() -> None:
    """The tables that the README reads: those of the demo."""
    demo = make_demo()
    table = demo.table
    columns = {"user": table.users.decode(table.user), "item": table.items.decode(table.item)}
    pd.DataFrame({**columns, "rating": table.rating}).to_csv("ratings.csv", index=False)
    demo.item_info.assign(item=list(table.items.ids)).to_csv("films.csv", index=False)


def test_python_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IGMC_HOME", str(tmp_path / "home"))
    frames, first, second = blocks("python")
    assert len([line for line in first.splitlines() if line]) <= 12
    write_tables()
    exec(compile(frames, "README.md", "exec"), {"__name__": "readme"})
    told = capsys.readouterr().out
    assert "The " in told.partition("source")[2], "titles in the list"
    assert "| item_knn | " in told
    names = {"__name__": "readme"}
    exec(compile(first, "README.md", "exec"), names)
    rmse, biases = map(float, capsys.readouterr().out.splitlines()[0].split())
    assert rmse < biases
    exec(compile(second, "README.md", "exec"), names)
    assert "| item_knn | " in capsys.readouterr().out


def test_links_lead_somewhere():
    links = [target for target in re.findall(r"\]\(([^)]+)\)", README) if "://" not in target]
    assert links
    assert not [target for target in links if not (ROOT / target).exists()]


def test_ci_finds_its_commands():
    names = re.findall(r"^<!-- ci: (.+) -->\n```bash\n", README, flags=re.MULTILINE)
    assert names == ["main job", "tests"]
    ci = (ROOT / ".ci" / "run").read_text()
    assert 'for name in "main job" tests; do' in ci
