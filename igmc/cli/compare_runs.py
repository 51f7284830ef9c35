"""``igmc-evaluate --log``: the runs of a server side by side, by what its users rated afterwards."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

import click

from igmc.cli.output import emit, emit_json, table

if TYPE_CHECKING:
    from igmc.evaluation.metrics import Interval
    from igmc.experiments import ArmComparison

__all__ = ["check_alone", "compare_runs"]

logger = logging.getLogger(__name__)

_TAKEN = {"logs", "store", "as_json", "verbose", "quiet"}  # by --log
_COUNTS = {
    "users": "users",
    "answers": "answers",
    "lists": "lists",
    "listed": "items listed",
    "converted": "rated afterwards",
    "rated": "predictions rated afterwards",
}
_NAMES = {
    "hit_rate": "users who rated a listed item",
    "conversion": "listed items rated",
    "mean_rating": "mean rating of these",
    "rmse": "RMSE of shown predictions",
}
_SHADOW = {
    "overlap": "listed items that the shadow lists too",
    "rmse_shown": "RMSE of shown predictions",
    "rmse_shadow": "RMSE of the shadow on the same items",
    "rmse_difference": "shadow - shown",
}


def check_alone(*, compares: bool) -> None:
    """A usage error on options of another job.

    Args:
        compares: whether logs are given.
    """
    ctx = click.get_current_context()
    given = {
        parameter.name
        for parameter in ctx.command.params
        if ctx.get_parameter_source(parameter.name or "") is click.core.ParameterSource.COMMANDLINE
    }
    if not compares and "store" in given:
        raise click.UsageError("--store holds the ratings for --log: give this too, or omit it")
    other = sorted(given - _TAKEN) if compares else []
    if other:
        raise click.UsageError(
            f"--log compares runs that were served, and fits no model: omit --{other[0].replace('_', '-')}"
        )


def compare_runs(logs: Sequence[Path], store: str | None, *, as_json: bool) -> int:
    """Read the logs, join them with the store, and print how the runs compare; the exit code."""
    if store is None:
        raise click.UsageError("--log needs the ratings that came afterwards: give --store too")
    from igmc.experiments import compare_arms, read_answers

    found = compare_arms(read_answers(logs), store, key=os.environ.get("IGMC_LOG_KEY") or None)
    if found.unmatched:
        logger.warning("no user of the log has a rating in the store: check --store, and IGMC_LOG_KEY")
    if as_json:
        emit_json(found.to_dict())
    else:
        emit(shown(found))
    return 0


def shown(found: ArmComparison) -> str:
    """The comparison as tables."""
    arms = list(found.counts)
    if not arms:
        parts = ["no answer of the log counts"]
    else:
        header = ["", *arms, *(f"{arm} - {arms[0]}" for arm in arms[1:])]
        rows = [
            [text, *(f"{found.counts[arm][name]:,}" for arm in arms), *[""] * (len(arms) - 1)]
            for name, text in _COUNTS.items()
        ]
        for name, text in _NAMES.items():
            cells = [_cell(found.figures[arm][name]) for arm in arms]
            rows.append([text, *cells, *(_cell(found.differences[arm][name], "+") for arm in arms[1:])])
        parts = [table(header, rows), "in brackets: 95 % intervals, over users; - : too few users"]
    if found.shadow:
        rows = [["users", f"{found.shadow['users']:,}"], ["rated items", f"{found.shadow['rated']:,}"]]
        rows += [
            [text, _cell(found.shadow[name], "+" if name == "rmse_difference" else "")]
            for name, text in _SHADOW.items()
        ]
        parts.append(table(["shadow", ""], rows))
    if found.left_out:
        reasons = [f"  {reason}: {count:,}" for reason, count in found.left_out.items()]
        parts.append("\n".join(["left out:", *reasons]))
    return "\n\n".join(parts)


def _cell(one: Interval | None, sign: str = "") -> str:
    if one is None:
        return "-"
    bounds = "-" if isnan(one.low) else f"{one.low:{sign}.4f}, {one.high:{sign}.4f}"
    return f"{one.value:{sign}.4f} [{bounds}]"
