"""Where scripts keep what they find: rows in ``results``, tables between their marks in ``docs/results.md``.

A list of rows is a file of JSON lines, one row a line, so that a new row is one line of a diff; anything else
is one JSON document. ``results/schema.json`` says what the rows of each file hold.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from igmc.config import TrainConfig
from igmc.files import replace_file

RESULTS = Path(__file__).parent / "results"
TABLES = Path(__file__).parents[1] / "docs" / "results.md"


def read(name: str) -> list[dict[str, Any]]:
    """The rows of ``results/<name>.jsonl``; none if the file is missing."""
    path = RESULTS / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def read_runs(name: str) -> list[dict[str, Any]]:
    """The same for rows of runs; rows written before a setting was renamed get its present name."""
    return [TrainConfig.current(row) for row in read(name)]


def write(name: str, found: list[dict[str, Any]] | dict[str, Any]) -> None:
    """Write a list of rows to ``results/<name>.jsonl``, a single document to ``results/<name>.json``."""
    RESULTS.mkdir(exist_ok=True)
    if isinstance(found, list):
        lines = "".join(f"{json.dumps(row)}\n" for row in found)
        replace_file(RESULTS / f"{name}.jsonl", lines.encode())
    else:
        replace_file(RESULTS / f"{name}.json", json.dumps(found, indent=1).encode() + b"\n")


def put_table(name: str, table: str) -> None:
    """Put a table between its marks in ``docs/results.md``, if the page has them."""
    marks = rf"(<!-- table: {re.escape(name)} -->\n).*?(<!-- end of table -->)"
    text = TABLES.read_text()
    replace_file(TABLES, re.sub(marks, lambda m: f"{m[1]}{table}\n{m[2]}", text, flags=re.DOTALL).encode())
