"""``igmc doctor``: what this machine offers, and whether the compiled code is right here."""

from __future__ import annotations

from pathlib import Path

import click

from igmc.cli.help import TeachingCommand
from igmc.cli.logs import start_logging
from igmc.cli.options import running_options
from igmc.cli.output import emit, emit_json, table

__all__ = ["doctor_command"]


@click.command(
    "doctor",
    cls=TeachingCommand,
    short_help="Check this machine and test the compiled code.",
    examples=("igmc doctor", "igmc doctor --json"),
)
@running_options("home", "as_json", "verbose", "quiet")
def doctor_command(home: Path | None, as_json: bool, verbose: bool, quiet: bool) -> int:
    """Show versions, processor and folders, and compare compiled with plain code.

    Exits with 1 if something is wrong, with a hint. Attach the output of --json to bug reports.
    """
    start_logging(verbose=verbose, quiet=quiet)
    from igmc.doctor import examine

    found = list(examine(home))
    if as_json:
        emit_json({"ok": all(one.ok for one in found), "findings": [one.to_dict() for one in found]})
    else:
        emit(table(["", "what", "how"], [["ok" if one.ok else "NO", one.name, one.value] for one in found]))
        for one in found:
            if not one.ok:
                emit(f"{one.name}: {one.remedy}")
    return 0 if all(one.ok for one in found) else 1
