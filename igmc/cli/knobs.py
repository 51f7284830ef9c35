"""Options made from the knobs of `igmc.config`: how a knob is spelled, read and explained."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

from igmc.config import (
    PAPER_DATASETS,
    PRESETS,
    default_network,
    network_with,
    others_settings,
    preset_settings,
)

__all__ = [
    "FLAGS",
    "TOP",
    "FormerOption",
    "Knob",
    "KnobOption",
    "KnobType",
    "PlainOption",
    "ShortOption",
    "active",
    "attach",
    "by_flag",
    "by_short",
    "help_text",
    "typed",
]

_TYPED = ParameterSource.COMMANDLINE
FLAGS = "igmc.flags"  # where the explicit flags are gathered in click's context
_OFF = {"live": "--store"}  # a switch whose other position has a name of its own
_NAMED = "igmc."  # with "network" or "dataset": which one was named so far, in click's context
TOP = "run"  # the section, in help texts, of the knobs that stand in RunConfig itself


@dataclasses.dataclass(frozen=True)
class Knob:
    """One knob of one configuration section, and how it is spelled on the command line."""

    section: str
    field: dataclasses.Field[Any]
    hint: Any

    @property
    def flag(self) -> str:
        return "--" + self.field.name.replace("_", "-")

    @property
    def nullable(self) -> bool:
        return type(None) in typing.get_args(self.hint)

    @property
    def base(self) -> Any:
        """int, float, str, bool, or tuple for a tuple of ints; without the None of a nullable knob."""
        parts = [part for part in typing.get_args(self.hint) if part is not type(None)]
        return parts[0] if self.nullable else typing.get_origin(self.hint) or self.hint


class KnobType(click.ParamType):  # type: ignore[type-arg]
    """Reads a knob's value from text; whether the value is allowed is for the configuration to say."""

    def __init__(self, knob: Knob) -> None:
        self.knob = knob
        words = {int: "N", float: "X", tuple: "N,N,...", str: "TEXT"}
        choices = knob.field.metadata["choices"]
        self.name = "|".join(choices) if choices else words[knob.base] + ("|none" if knob.nullable else "")

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return self.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        text, base = str(value).strip() or str(value), self.knob.base
        if self.knob.nullable and text.lower() == "none":
            return None
        if base is str:
            return text
        try:
            return tuple(int(word) for word in text.split(",")) if base is tuple else base(text)
        except ValueError:
            kind = {int: "a whole number", float: "a number", tuple: "whole numbers with commas between"}
            self.fail(f"{text!r} is not {kind[base]}{' or none' * self.knob.nullable}", param, ctx)


class PlainOption(click.Option):
    """An option whose help text states its range itself, in the style of the knobs."""

    def get_help_extra(self, ctx: click.Context) -> Any:
        return {}


class KnobOption(click.Option):
    """An option for one knob, or for those that networks have under one name; gathers what the user gave.

    The help text shows the knob of the network that was named before ``-h``, or that the data set named
    there brings.
    """

    def __init__(self, *knobs: Knob, titles: dict[str, str]) -> None:
        knob = knobs[0]
        switch = knob.base is bool
        off = _OFF.get(knob.field.name, f"--no-{knob.flag[2:]}")
        super().__init__(
            [f"{knob.flag}/{off}" if switch else knob.flag],
            type=None if switch else KnobType(knob),
            default=None,
            expose_value=False,
            callback=_gather,
            help=help_text(knob),
            is_eager=knob.field.name in ("network", "dataset"),  # named before -h, they choose what it shows
        )
        self.knobs, self.titles = knobs, titles

    def section_in(self, ctx: click.Context) -> str | None:
        """The title that it stands under; None if it is of another network."""
        knob = active(self.knobs, shown_network(ctx))
        return None if knob is None else self.titles[knob.section]

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        knob = active(self.knobs, shown_network(ctx))
        if knob is None or record is None:
            return None
        short = knob.field.metadata["short"]
        return (record[0] if short is None else f"--{short}, {record[0]}"), help_text(knob)


class ShortOption(click.Option):
    """Another name for the options of knobs, one of each network, beside which the help text shows it."""

    def __init__(self, *knobs: Knob) -> None:
        name = f"--{knobs[0].field.metadata['short']}"
        super().__init__(
            [name], type=KnobType(knobs[0]), expose_value=False, callback=_gather_short, hidden=True
        )
        self.knobs = knobs


class FormerOption(click.Option):
    """The former name of a knob's option: not in the help text, still read, with a line on what it is now."""

    def __init__(self, *knobs: Knob) -> None:
        knob = next(knob for knob in knobs if knob.field.metadata["former"])
        former = knob.field.metadata["former"]
        super().__init__(
            ["--" + former.name.replace("_", "-")],
            type=KnobType(knob),
            expose_value=False,
            callback=_gather_former,
            hidden=True,
        )
        self.knobs, self.former = knobs, former


def typed(ctx: click.Context, name: str) -> str | None:
    """What was typed so far for ``--network`` or ``--dataset``."""
    found: str | None = ctx.meta.get(_NAMED + name)
    return found


def shown_network(ctx: click.Context) -> str | None:
    """The network whose settings the help text shows; None where the command leaves no choice."""
    if "network" not in (param.name for param in ctx.command.params):
        return None
    return typed(ctx, "network") or default_network(typed(ctx, "dataset") or "demo")


def active(knobs: tuple[Knob, ...], network: str | None) -> Knob | None:
    """Which of these knobs a network has; the first if it is None."""
    if network is None:
        return knobs[0]
    others = others_settings(network)
    names = [knob.field.name if knob.section == TOP else knob.section for knob in knobs]
    return next((knob for knob, name in zip(knobs, names, strict=True) if name not in others), None)


def by_flag(knobs: list[Knob]) -> list[list[Knob]]:
    """Knobs that networks have under one name share an option."""
    found: dict[str, list[Knob]] = {}
    for knob in knobs:
        found.setdefault(knob.flag, []).append(knob)
    return list(found.values())


def by_short(knobs: list[Knob]) -> list[list[Knob]]:
    """The knobs that share a short name."""
    found: dict[str, list[Knob]] = {}
    for knob in knobs:
        if (short := knob.field.metadata["short"]) is not None:
            found.setdefault(short, []).append(knob)
    return list(found.values())


def help_text(knob: Knob) -> str:
    """The knob's sentence, range, default, and the data sets for which it differs."""
    meta, notes = knob.field.metadata, []
    low, high = meta["low"], meta["high"]
    if low is not None:
        notes.append(f">= {low:g}" if high is None else f"{low:.12g}..{high:.12g}")
    if knob.field.name == "network":
        usual, papers = default_network("demo"), default_network(PAPER_DATASETS[0])
        clicks = f"{default_network('demo', implicit=True)} with --implicit"
        notes.append(f"default {usual}; {papers} for {', '.join(PAPER_DATASETS)}; {clicks}")
    elif (knob.base, knob.field.default) != (bool, None):
        notes.append(f"default {_text(knob.field.default)}")
    for dataset in PRESETS:
        preset = preset_settings(dataset, network_with(knob.section)).get(knob.section, {})
        if preset.get(knob.field.name, knob.field.default) != knob.field.default:
            notes.append(f"{dataset} {_text(preset[knob.field.name])}")
    sentence = meta["help"]
    return f"{sentence[0].upper()}{sentence[1:]}" + (f" [{'; '.join(notes)}]" if notes else "")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value).lower()


def _gather(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if isinstance(param, KnobOption) and ctx.get_parameter_source(param.name or "") is _TYPED:
        ctx.meta.setdefault(FLAGS, []).append((param.knobs, value))
        if param.name in ("network", "dataset"):
            ctx.meta[_NAMED + param.name] = value


def _gather_short(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if isinstance(param, ShortOption) and ctx.get_parameter_source(param.name or "") is _TYPED:
        ctx.meta.setdefault(FLAGS, []).append((param.knobs, value))


def _gather_former(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if isinstance(param, FormerOption) and ctx.get_parameter_source(param.name or "") is _TYPED:
        now = param.former.present(value)
        renamed = f"{param.opts[0]} {value} is now {param.knobs[0].flag} {now}"
        click.echo(f"{ctx.command_path}: warning: {renamed}", err=True)
        ctx.meta.setdefault(FLAGS, []).append((param.knobs, now))


def attach(function: Callable[..., Any], options: list[click.Option]) -> None:
    """Give the function these options in this order, as click's own decorators would."""
    attached = getattr(function, "__click_params__", [])
    function.__click_params__ = attached + options[::-1]  # type: ignore[attr-defined]
