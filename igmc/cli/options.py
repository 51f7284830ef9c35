"""Command-line options made from the knobs of `igmc.config`, and the configuration made from the options.

Precedence: defaults < `preset_settings` of the data set < ``--config FILE`` < flags.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import re
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from igmc.cli.knobs import (
    FLAGS,
    TOP,
    FormerOption,
    Knob,
    KnobOption,
    PlainOption,
    ShortOption,
    active,
    attach,
    by_flag,
    by_short,
    typed,
)
from igmc.config import (
    NETWORKS,
    Config,
    RunConfig,
    default_network,
    merged,
    network_of,
    others_settings,
    run_config,
)
from igmc.errors import ConfigError

logger = logging.getLogger(__name__)

__all__ = [
    "as_typed",
    "config_options",
    "crew_options",
    "executor_option",
    "network_sections",
    "read_config",
    "running_options",
    "track_option",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])


track_option = click.option(
    "--track",
    multiple=True,
    metavar="DIR|wandb:PROJECT|mlflow:URI",
    help="Log losses, validation figures and learning rate by epoch: to a folder for TensorBoard, to "
    "Weights & Biases, or to MLflow. Can be repeated [default: none]",
)


def crew_options(help_of_workers: str) -> Callable[[_Command], _Command]:
    """Options for jobs that take minutes each: ``--workers``, and where these work."""

    def decorate(function: _Command) -> _Command:
        attach(
            function,
            [PlainOption(["--workers"], type=click.IntRange(1, 1024), metavar="N", help=help_of_workers)],
        )
        return executor_option(function)

    return decorate


executor_option = click.option(
    "--executor",
    metavar="local|ray|ray://HOST:PORT",
    default="local",
    help="Where to work: processes of this machine, or workers of Ray that see the same folders; "
    "the result is the same [default local]",
)


def network_sections() -> list[str]:
    """The sections with settings of networks, for `config_options`."""
    known = {knob.section for knob in _knobs()}
    own = dict.fromkeys(name for one in NETWORKS.values() for name in one.sections)
    return [name for name in own if name in known]


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
            help="JSON file of settings, by section as in this help; or the config.json of a run.",
        )
        options: list[click.Option] = [
            *(KnobOption(*alike, titles=docs) for alike in by_flag(knobs)),
            *(FormerOption(*alike) for alike in by_flag(knobs) if any(map(_renamed, alike))),
            *(ShortOption(*alike) for alike in by_short(knobs)),
            file_option,
        ]
        attach(function, options)
        return function

    return decorate


def _renamed(knob: Knob) -> bool:
    return knob.field.metadata["former"] is not None


def running_options(*names: str) -> Callable[[_Command], _Command]:
    """The options that say where and how to run, not what: those named, or all."""
    folder = click.Path(path_type=Path)
    options = {
        "data_dir": click.Option(
            ["--data-dir"],
            type=folder,
            metavar="DIR",
            help="Folder of raw data sets, or of one; never written to [default $IGMC_DATA, then <home>/raw]",
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
            help="Processes for extraction, and threads for training on a CPU [1..1024; default: all cores]",
        ),
        "as_json": click.Option(
            ["--json", "as_json"], is_flag=True, help="Print the result as one JSON object on stdout."
        ),
        "verbose": click.Option(["-v", "--verbose"], is_flag=True, help="Log more and show tracebacks."),
        "quiet": click.Option(
            ["-q", "--quiet"], is_flag=True, help="No progress bar; print only warnings and errors on stderr."
        ),
    }

    def decorate(function: _Command) -> _Command:
        attach(function, [option for name, option in options.items() if name in names or not names])
        return function

    return decorate


def read_config(ctx: click.Context, file: Path | None, network: str | None = None) -> RunConfig:
    """The configuration that the defaults, the data set's settings, the file and the flags add up to.

    Args:
        ctx: with the flags. file: of ``--config``.
        network: of a command that is for one alone.

    Raises:
        ConfigError: on a file that is missing, is not JSON or has unknown keys, and on a value out of range.
    """
    from igmc.ratings.sources import canonical_name

    given = _file_settings(file) if file is not None else {}
    dataset = typed(ctx, "dataset") or given.get("data", {}).get("dataset", RunConfig().data.dataset)
    dataset = canonical_name(dataset) or dataset
    filed = network_of(given)
    flagged = [value for knobs, value in ctx.meta.get(FLAGS, []) if knobs[0].field.name == "implicit"]
    implicit = bool(flagged[-1] if flagged else given.get("data", {}).get("implicit"))
    network = network or typed(ctx, "network") or filed or default_network(dataset, implicit=implicit)
    if filed not in (None, network):  # what the file says of another network is not meant
        given = {name: value for name, value in given.items() if name not in others_settings(network)}
    flags: dict[str, Any] = {}
    for knobs, value in ctx.meta.get(FLAGS, []):
        knob = active(knobs, network)
        if knob is None:
            others = ", ".join(f"--network {name}" for name in NETWORKS if active(knobs, name))
            raise ConfigError(
                f"{knobs[0].flag} is not a setting of this network",
                got=f"--network {network}"
                + ("" if typed(ctx, "network") or filed else f", that of {dataset}"),
                remedy=f"omit it, or give {others}",
            )
        (flags if knob.section == TOP else flags.setdefault(knob.section, {}))[knob.field.name] = value
    return run_config(dataset, merged(given, flags) | {"network": network})


def as_typed(message: str) -> str:
    """The message with settings named as options: ``TrainConfig.batch_size`` becomes ``--batch-size``.

    >>> as_typed("TrainConfig.batch_size is out of range")
    '--batch-size is out of range'
    """
    return re.sub(r"\b[A-Z]\w+Config\.(\w+)", lambda match: "--" + match[1].replace("_", "-"), message)


def _knobs() -> list[Knob]:
    knobs = []
    for name, hint in typing.get_type_hints(RunConfig).items():
        sections = {name: hint} if isinstance(hint, type) and issubclass(hint, Config) else {}
        for section, cls in sections.items():
            hints = typing.get_type_hints(cls)
            knobs += [Knob(section, field, hints[field.name]) for field in dataclasses.fields(cls)]
        if not sections:
            knobs.append(Knob(TOP, RunConfig.__dataclass_fields__[name], hint))
    return knobs


def _names(knob: Knob) -> tuple[str, str]:
    return knob.section, f"{knob.section}.{knob.field.name}"


def _title(section: str) -> str:
    cls = RunConfig if section == TOP else typing.get_type_hints(RunConfig)[section]
    doc = (cls.__doc__ or "").splitlines()[0].rstrip(".")
    return f"{section} - {doc}"


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
    now = RunConfig.current(settings)
    if now != settings:
        logger.warning("--config %s holds former names of settings, which are still read", file)
    return now
