"""Results on stdout: tables for people, JSON for programs."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

__all__ = ["emit", "emit_json", "human_bytes", "make_writable", "printable", "table"]


def make_writable() -> None:
    """Let any text go to stdout and stderr: UTF-8 into files and pipes, "?" for what cannot be shown."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if not stream.isatty():
                stream.reconfigure(encoding="utf-8")
            stream.reconfigure(errors="replace")  # of half a surrogate pair, say


def emit(text: str) -> None:
    """Print to stdout; a reader that has gone away (``| head -1``) is no error."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # The interpreter flushes stdout once more at exit; let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def emit_json(value: dict[str, Any]) -> None:
    """Print one JSON object to stdout; ids of other kinds, such as dates, as text."""
    emit(json.dumps(value, indent=2, allow_nan=False, default=str))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need to be; numbers to the right, words to the left.

    >>> print(table(["part", "pairs"], [["train", "90"], ["test", "10,000"]]))
    part    pairs
    train      90
    test   10,000
    """
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    right = [
        all(row[column].lstrip("+-")[:1].isdigit() or row[column] == "-" for row in rows)
        for column in range(len(header))
    ]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def printable(text: str) -> str:
    """A title may hold anything, and a terminal obeys control characters.

    >>> printable("Alien" + chr(27))
    'Alien?'
    """
    return "".join(c if c.isprintable() else "?" for c in text)


def human_bytes(size: float) -> str:
    """Bytes in decimal units.

    >>> human_bytes(812), human_bytes(834_000_000)
    ('812 B', '834 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.0f} {unit}" if size >= 99.5 or unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
