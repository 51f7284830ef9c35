"""Options made from the knobs of a configuration that is no part of `RunConfig`."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from typing import Any, TypeVar

import click

from igmc.cli.options import _FLAGS, _attach, _Knob, _KnobOption
from igmc.config import Config

__all__ = ["read_section", "section_options"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


def section_options(
    section: str, cls: type[Config], names: tuple[str, ...] = ()
) -> Callable[[_Command], _Command]:
    """Options for the knobs of these names, or all; `read_section` reads what the user gave."""
    hints = typing.get_type_hints(cls)
    title = f"{section} - {(cls.__doc__ or '').splitlines()[0].rstrip('.')}"
    knobs = [
        _Knob(section, field, hints[field.name])
        for field in dataclasses.fields(cls)
        if not names or field.name in names
    ]

    def decorate(function: _Command) -> _Command:
        _attach(function, [_KnobOption(knob, title) for knob in knobs])
        return function

    return decorate


def read_section(ctx: click.Context, section: str) -> dict[str, Any]:
    """The settings of a section that the user gave as flags."""
    given: list[tuple[_Knob, Any]] = ctx.meta.get(_FLAGS, [])
    return {knob.field.name: value for knob, value in given if knob.section == section}
