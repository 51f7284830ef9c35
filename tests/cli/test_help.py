"""Every help page ends with examples that run."""

import re
import shlex
import tomllib
from importlib import metadata
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from igmc.cli import main
from igmc.cli.help import TeachingCommand, TeachingGroup
from igmc.cli.main import _igmc
from igmc.cli.options import config_options, running_options
from tests.cli.commands import COMMANDS


def commands(command=_igmc, path="igmc"):
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, f"{path} {name}")


@pytest.mark.parametrize(
    ("path", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_help_ends_with_examples_that_parse(path, command):
    page = CliRunner().invoke(command, ["-h", "--all"] if hasattr(command, "most_used") else ["-h"]).output
    tail = page.split("Examples:\n")[1].strip().splitlines()
    assert [line.strip() for line in tail] == list(command.examples)
    assert 2 <= len(tail) <= 3
    for line in tail:
        words = shlex.split(line)
        at = COMMANDS[words.pop(0)]
        while isinstance(at, click.Group):
            at = at.commands[words.pop(0)]
        at.make_context("x", words)


@click.group(cls=TeachingGroup, examples=("all one",))
def group():
    """Do things."""


@group.command("one", cls=TeachingCommand, examples=("all one --dataset x", "all one -q"))
@config_options("train.epochs", "data.dataset")
@click.option("--out", help="Where to.")
@running_options("quiet")
def one(**given):
    """Do one thing."""


def test_long_and_short_question_get_the_same_page():
    for asked in (group, one):
        short, long = (CliRunner().invoke(asked, [flag]) for flag in ("-h", "--help"))
        assert short.exit_code == 0
        assert short.output == long.output
        assert short.output.endswith("".join(f"  {example}\n" for example in asked.examples))


def test_options_stand_under_their_section_and_the_others_under_running():
    page = CliRunner().invoke(one, ["-h"]).output
    titles = [line for line in page.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert [title.split(" - ")[0] for title in titles] == ["train", "data", "Running:", "Examples:"]
    places = [
        page.index(flag)
        for flag in ("train - ", "--epochs", "data - ", "--dataset", "Running:", "--out", "-q,")
    ]
    assert places == sorted(places)


def test_a_group_lists_its_commands():
    page = CliRunner().invoke(group, ["-h"]).output
    assert "Commands:\n  one  Do one thing." in page


@group.command(
    "two", cls=TeachingCommand, examples=("all two --dataset x", "all two -q"), most_used=("out", "epochs")
)
@config_options("train.epochs", "data.dataset", "extract.max_nodes_per_hop")
@click.option("--out", help="Where to.")
@running_options("quiet")
def two(**given):
    """Do another thing."""


def test_the_most_used_options_come_first_and_all_on_request():
    short, whole = (CliRunner().invoke(two, arguments).output for arguments in (["-h"], ["-h", "--all"]))
    assert short.index("Most used options:") < short.index("--out") < short.index("--epochs")
    assert "--dataset" not in short.partition("Examples:")[0]
    assert re.search(r"two -h --all shows all \d options\.", short)
    assert "--dataset" in whole
    assert "train - " in whole
    assert "Most used" not in whole
    assert CliRunner().invoke(two, ["--all"]).exit_code == 2, "it is a word of help pages alone"


@pytest.mark.parametrize(("path", "command"), list(commands()), ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_most_used_is_there(path, command):
    names = {param.name for param in command.params}
    assert set(getattr(command, "most_used", ())) <= names


def test_every_command_is_there_by_two_names():
    scripts = {entry.name for entry in metadata.entry_points(group="console_scripts") if "igmc" in entry.name}
    lines = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["scripts"]
    assert set(lines) == {"igmc", *(f"igmc-{name}" for name in _igmc.commands)}
    assert scripts
    for name, place in lines.items():
        assert place == f"igmc.cli.main:{name.removeprefix('igmc-') if name != 'igmc' else 'main'}"
        assert callable(getattr(main, place.partition(":")[2]))


def test_the_list_of_commands_says_what_each_says_itself():
    for name, (_, text) in _igmc.commands.places.items():
        assert _igmc.commands[name].short_help == text


def test_the_cap_is_that_of_either_network():
    page = CliRunner().invoke(two, ["-h", "--all"]).output
    assert "--cap, --max-nodes-per-hop N" in page


@pytest.mark.parametrize("words", [["igmc"], ["igmc-data"], ["igmc", "data"], ["igmc-data", "list"]])
def test_every_command_shows_all_on_request(words):
    short, every = (
        CliRunner().invoke(COMMANDS[words[0]], [*words[1:], *flags]) for flags in (["-h"], ["-h", "--all"])
    )
    assert (short.exit_code, every.exit_code) == (0, 0)
    assert every.output.startswith("Usage: ")
