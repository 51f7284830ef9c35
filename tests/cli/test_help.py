"""Every help page ends with examples that run."""

import shlex

import click
import pytest
from click.testing import CliRunner

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
def test_every_help_ends_with_two_examples_that_parse(path, command):
    page = CliRunner().invoke(command, ["-h"]).output
    tail = page.split("Examples:\n")[1].strip().splitlines()
    assert [line.strip() for line in tail] == list(command.examples)
    assert len(tail) == 2
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
