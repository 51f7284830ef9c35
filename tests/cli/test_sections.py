"""Knobs of other configurations become options, and only what was typed is a setting."""

import shlex

import click
import pytest
from click.testing import CliRunner

from igmc.cli.help import TeachingCommand
from igmc.cli.sections import knob_option, read_section, section_options
from igmc.config import DataConfig, ListConfig, TransferConfig


def read(line: str) -> dict[str, dict]:
    """What a command with two sections reads off its command line."""
    caught = {}

    @click.command()
    @section_options("data", DataConfig, ("columns", "test_ratio", "item_info"))
    @section_options("transfer", TransferConfig)
    @click.pass_context
    def command(ctx):
        caught.update({name: read_section(ctx, name) for name in ("data", "transfer", "nosuch")})

    command.main(shlex.split(line), standalone_mode=False)
    return caught


def test_settings_are_those_typed_by_section():
    assert read("") == {"data": {}, "transfer": {}, "nosuch": {}}
    line = "--percent 5 --columns a,b,c --fallback --seed 7"
    assert read(line) == {
        "data": {"columns": "a,b,c"},
        "transfer": {"percent": 5.0, "fallback": True, "seed": 7},
        "nosuch": {},
    }
    assert read("--no-fallback")["transfer"] == {"fallback": False}
    assert read("--percent 1.0")["transfer"] == {"percent": 1.0}, "typed, though it is the default"


def test_a_knob_is_read_under_its_former_name_with_a_warning(capsys):
    assert read("--items films.csv")["data"] == {"item_info": "films.csv"}
    assert "warning: --items films.csv is now --item-info films.csv" in capsys.readouterr().err


def test_of_a_section_only_the_named_knobs_are_options():
    with pytest.raises(click.NoSuchOption, match="--split"):
        read("--split u1")


def test_text_that_is_no_value_is_a_usage_error():
    with pytest.raises(click.BadParameter, match="'many' is not a whole number"):
        read("--epochs many")
    assert read("--epochs 0")["transfer"] == {"epochs": 0}, "the range is for the configuration to check"


@click.command(cls=TeachingCommand, examples=("x",))
@section_options("transfer", TransferConfig)
@knob_option(ListConfig, "k", "-k", "--k")
@knob_option(ListConfig, "min_score")
@knob_option(ListConfig, "exhaustive")
def lists(**given):
    """Print what was given."""
    click.echo(repr(sorted(given.items())))


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        ([], {"k": None, "min_score": None, "exhaustive": None}),
        (["-k", "3"], {"k": 3, "min_score": None, "exhaustive": None}),
        (["--k", "3", "--min-score", "2.5", "--exhaustive"], {"k": 3, "min_score": 2.5, "exhaustive": True}),
        (["--min-score", "none"], {"k": None, "min_score": None, "exhaustive": None}),
    ],
)
def test_a_single_knob_is_an_argument_of_the_command_and_none_unless_typed(arguments, given):
    done = CliRunner().invoke(lists, arguments)
    assert (done.exit_code, done.output) == (0, f"{sorted(given.items())}\n")


def test_the_help_names_section_range_and_default():
    page = " ".join(CliRunner().invoke(lists, ["-h"], terminal_width=1000).output.split())
    assert "transfer - How a trained model is applied to another data set:" in page
    assert "--epochs N Epochs over those ratings ('finetune') [>= 1; default 5]" in page
    assert "--fallback / --no-fallback" in page
    assert "-k, --k N Length of the list [>= 1; default 10]" in page
    assert "--min-score X|none" in page
