"""Every help page ends with examples that run."""

import shlex

import click
import pytest
from click.testing import CliRunner

from igmc.cli.main import _igmc
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
