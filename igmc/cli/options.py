"""Command-line options made from the knobs of `igmc.config`, and the configuration made from the options.

Precedence: defaults < `preset_settings` of the data set < ``--config FILE`` < flags.
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from igmc.config import PRESETS, Config, RunConfig, merged, preset_settings
from igmc.errors import ConfigError

__all__ = ["PlainOption", "as_typed", "config_options", "read_config", "running_options", "track_option"]

_Command = TypeVar("_Command", bound=Callable[..., Any])

_TYPED = ParameterSource.COMMANDLINE
_FLAGS = "igmc.flags"  # where the explicit flags are gathered in click's context
_OFF = {"live": "--store"}  # a switch whose other position has a name of its own
_TOP = "run"  # the section, in help texts, of the knobs that stand in RunConfig itself


@dataclasses.dataclass(frozen=True)
class _Knob:
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


class _KnobType(click.ParamType):  # type: ignore[type-arg]
    """Reads a knob's value from text; whether the value is allowed is for the configuration to say."""

    def __init__(self, knob: _Knob) -> None:
        self.knob = knob
        words = {int: "N", float: "X", tuple: "N,N,...", str: "TEXT"}
        choices = knob.field.metadata["choices"]
        self.name = "|".join(choices) if choices else words[knob.base] + ("|none" if knob.nullable else "")

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return self.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        text, base = str(value).strip(), self.knob.base
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


class _KnobOption(click.Option):
    """An option for one knob; a value that the user gave is gathered in the context."""

    def __init__(self, knob: _Knob, title: str) -> None:
        switch = knob.base is bool
        off = _OFF.get(knob.field.name, f"--no-{knob.flag[2:]}")
        super().__init__(
            [f"{knob.flag}/{off}" if switch else knob.flag],
            type=None if switch else _KnobType(knob),
            default=None,
            expose_value=False,
            callback=_gather,
            help=_help(knob),
        )
        self.knob, self.section = knob, title


class _FormerOption(click.Option):
    """The former name of a knob's option: not in the help text, still read, with a line on what it is now."""

    def __init__(self, knob: _Knob) -> None:
        former = knob.field.metadata["former"]
        super().__init__(
            ["--" + former.name.replace("_", "-")],
            type=_KnobType(knob),
            expose_value=False,
            callback=_gather_former,
            hidden=True,
        )
        self.knob, self.former = knob, former


track_option = click.option(
    "--track",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for TensorBoard: losses, validation figures and learning rate by epoch [default: none]",
)


def config_options(*selected: str) -> Callable[[_Command], _Command]:
    """Options for whole sections ("data"), for single knobs ("train.selection"), and ``--config``."""
    knobs = [knob for name in selected for knob in _knobs() if name in _names(knob)]
    shown = dict.fromkeys(knob.section for knob in knobs)
    docs = {section: _title(section) for section in shown}

    def decorate(function: _Command) -> _Command:
        file_option = click.Option(
            ["--config", "file"],
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="JSON file of settings, by section as here; or the config.json of a run.",
        )
        options: list[click.Option] = [
            *(_KnobOption(knob, docs[knob.section]) for knob in knobs),
            *(_FormerOption(knob) for knob in knobs if knob.field.metadata["former"]),
            file_option,
        ]
        _attach(function, options)
        return function

    return decorate


def running_options(*names: str) -> Callable[[_Command], _Command]:
    """The options that say where and how to run, not what: those named, or all."""
    folder = click.Path(path_type=Path)
    options = {
        "data_dir": click.Option(
            ["--data-dir"],
            type=folder,
            metavar="DIR",
            help="Folder of raw data sets, or of one; only read [default $IGMC_DATA, then what was fetched]",
        ),
        "home": click.Option(
            ["--home"],
            type=folder,
            metavar="DIR",
            help="Folder for downloads and stores [default $IGMC_HOME, then the user's cache folder]",
        ),
        "workers": PlainOption(
            ["--workers"],
            type=click.IntRange(1, 1024),
            metavar="N",
            help="Processes that extract, and threads that train on a CPU [1..1024; default one a core]",
        ),
        "as_json": click.Option(
            ["--json", "as_json"], is_flag=True, help="Print the result as one JSON object on stdout."
        ),
        "verbose": click.Option(["-v", "--verbose"], is_flag=True, help="Log more, and show tracebacks."),
        "quiet": click.Option(
            ["-q", "--quiet"], is_flag=True, help="No progress bar; only warnings and errors on stderr."
        ),
    }

    def decorate(function: _Command) -> _Command:
        _attach(function, [option for name, option in options.items() if name in names or not names])
        return function

    return decorate


def read_config(ctx: click.Context, file: Path | None) -> RunConfig:
    """The configuration that the defaults, the data set's settings, the file and the flags add up to.

    Raises:
        ConfigError: on a file that is missing, is not JSON or has unknown keys, and on a value out of range.
    """
    from igmc.ratings.sources import canonical_name

    given = _file_settings(file) if file is not None else {}
    flags: dict[str, Any] = {}
    for knob, value in ctx.meta.get(_FLAGS, []):
        (flags if knob.section == _TOP else flags.setdefault(knob.section, {}))[knob.field.name] = value
    chosen = merged(given, flags)
    dataset = chosen.get("data", {}).get("dataset", RunConfig().data.dataset)
    dataset = canonical_name(dataset) or dataset
    return RunConfig.from_dict(
        merged(preset_settings(dataset), merged(chosen, {"data": {"dataset": dataset}}))
    )


def as_typed(message: str) -> str:
    """The message with settings named as options: ``TrainConfig.batch_size`` becomes ``--batch-size``.

    >>> as_typed("TrainConfig.batch_size is out of range")
    '--batch-size is out of range'
    """
    return re.sub(r"\b[A-Z]\w+Config\.(\w+)", lambda match: "--" + match[1].replace("_", "-"), message)


def _knobs() -> list[_Knob]:
    knobs = []
    for name, hint in typing.get_type_hints(RunConfig).items():
        sections = {name: hint} if isinstance(hint, type) and issubclass(hint, Config) else {}
        for section, cls in sections.items():
            hints = typing.get_type_hints(cls)
            knobs += [_Knob(section, field, hints[field.name]) for field in dataclasses.fields(cls)]
        if not sections:
            knobs.append(_Knob(_TOP, RunConfig.__dataclass_fields__[name], hint))
    return knobs


def _names(knob: _Knob) -> tuple[str, str]:
    return knob.section, f"{knob.section}.{knob.field.name}"


def _title(section: str) -> str:
    cls = RunConfig if section == _TOP else typing.get_type_hints(RunConfig)[section]
    doc = (cls.__doc__ or "").splitlines()[0].rstrip(".")
    return f"{section} - {doc}"


def _help(knob: _Knob) -> str:
    """The knob's sentence, range, default, and the data sets for which it differs."""
    meta, notes = knob.field.metadata, []
    low, high = meta["low"], meta["high"]
    if low is not None:
        notes.append(f">= {low:g}" if high is None else f"{low:.12g}..{high:.12g}")
    if (knob.base, knob.field.default) != (bool, None):
        notes.append(f"default {_text(knob.field.default)}")
    for dataset in PRESETS:
        preset = preset_settings(dataset).get(knob.section, {})
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
    if isinstance(param, _KnobOption) and ctx.get_parameter_source(param.name or "") is _TYPED:
        ctx.meta.setdefault(_FLAGS, []).append((param.knob, value))


def _gather_former(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if isinstance(param, _FormerOption) and ctx.get_parameter_source(param.name or "") is _TYPED:
        now = param.former.present(value)
        renamed = f"{param.opts[0]} {value} is now {param.knob.flag} {now}"
        click.echo(f"{ctx.command_path}: warning: {renamed}", err=True)
        ctx.meta.setdefault(_FLAGS, []).append((param.knob, now))


def _attach(function: Callable[..., Any], options: list[click.Option]) -> None:
    """Give the function these options in this order, as click's own decorators would."""
    attached = getattr(function, "__click_params__", [])
    function.__click_params__ = attached + options[::-1]  # type: ignore[attr-defined]


def _file_settings(file: Path) -> dict[str, Any]:
    """The settings of a JSON file, checked on their own so that an error can name the file."""
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"--config: no such file: {file}", remedy="check the path") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ConfigError(f"--config: {file} is not JSON: {error}") from None
    if isinstance(settings, dict) and "config" in settings:  # the config.json of a run, which says more
        settings = settings["config"]
    try:
        RunConfig.from_dict(settings)
    except ConfigError as error:
        what = re.sub(r"\b([A-Z]\w+)Config\b", lambda match: match[1].lower(), error.what)
        raise ConfigError(
            f"--config {file}: {what}", got=error.got, allowed=error.allowed, remedy=error.remedy
        ) from None
    return RunConfig.current(settings)
