"""Options made from the knobs of configurations beside `RunConfig`, such as `TransferConfig`."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from typing import Any, TypeVar

import click

from igmc.cli.knobs import FLAGS, FormerOption, Knob, KnobOption, KnobType, PlainOption, attach, help_text
from igmc.config import Config, DataConfig

__all__ = [
    "READING",
    "former_option",
    "given_formerly",
    "knob_option",
    "read_data",
    "read_section",
    "reading_options",
    "section_options",
]

# How a data set is read, whatever is done with it.
READING = (
    *("columns", "implicit", "min_rating", "separator", "encoding", "header", "matrix", "missing"),
    "zero_is_missing",
    *("item_info", "item_features", "allow_changed", "duplicates"),
)
_FORMER = "igmc.former."

_Command = TypeVar("_Command", bound=Callable[..., Any])


def section_options(
    section: str, cls: type[Config], names: tuple[str, ...] = ()
) -> Callable[[_Command], _Command]:
    """Options for the knobs of these names, or all; `read_section` reads what the user gave."""
    hints = typing.get_type_hints(cls)
    title = f"{section} - {(cls.__doc__ or '').splitlines()[0].rstrip('.')}"
    knobs = [
        Knob(section, field, hints[field.name])
        for field in dataclasses.fields(cls)
        if not names or field.name in names
    ]

    def decorate(function: _Command) -> _Command:
        attach(function, [KnobOption(knob, titles={section: title}) for knob in knobs])
        attach(function, [FormerOption(knob) for knob in knobs if knob.field.metadata["former"]])
        return function

    return decorate


def reading_options(function: _Command) -> _Command:
    """The options that say how a data set is read; `read_data` reads them."""
    return section_options("data", DataConfig, READING)(function)


def read_data(ctx: click.Context, dataset: str) -> DataConfig:
    """A data set, and how it is read, as the user gave it."""
    return DataConfig(dataset=dataset, **read_section(ctx, "data"))


def knob_option(config: type[Config], name: str, *flags: str) -> Callable[[_Command], _Command]:
    """An option for one knob of a configuration that is no part of `RunConfig`; None if it is not given."""
    hint = typing.get_type_hints(config)[name]
    knob = Knob(config.__name__, config.__dataclass_fields__[name], hint)
    switch = knob.base is bool
    option = PlainOption(
        [*(flags or (knob.flag,)), name],
        type=None if switch else KnobType(knob),
        is_flag=switch,
        default=None,
        help=help_text(knob),
    )

    def decorate(function: _Command) -> _Command:
        attach(function, [option])
        return function

    return decorate


def former_option(former: str, now: str) -> Callable[[_Command], _Command]:
    """The former name of an option: not in the help text, still read by `given_formerly`, with a warning."""

    def warn(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
        if value is not None:
            click.echo(f"{ctx.command_path}: warning: {former} is now {now}", err=True)
            ctx.meta[_FORMER + now] = value

    option = click.Option([former, f"former_{now[2:]}"], hidden=True, expose_value=False, callback=warn)

    def decorate(function: _Command) -> _Command:
        attach(function, [option])
        return function

    return decorate


def given_formerly(now: str) -> str | None:
    """What was given under the former name of an option; None if nothing was."""
    found: str | None = click.get_current_context().meta.get(_FORMER + now)
    return found


def read_section(ctx: click.Context, section: str) -> dict[str, Any]:
    """The settings of a section that the user gave as flags."""
    given: list[tuple[tuple[Knob, ...], Any]] = ctx.meta.get(FLAGS, [])
    return {knob.field.name: value for (knob, *_), value in given if knob.section == section}
