"""Where scripts keep what they found: rows in ``results``, and tables between their marks in the README."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from igmc.config import TrainConfig
from igmc.files import replace_file

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parents[1] / "README.md"


def read(name: str) -> list[dict[str, Any]]:
    """The rows of ``results/<name>.json``; none if it is not there."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else []


def read_runs(name: str) -> list[dict[str, Any]]:
    """The same rows where they are of runs; their `selection` may stand there under its former name."""
    return [TrainConfig.current(row) for row in read(name)]


def write(name: str, found: Any) -> None:
    """Write ``results/<name>.json``."""
    RESULTS.mkdir(exist_ok=True)
    replace_file(RESULTS / f"{name}.json", json.dumps(found, indent=1).encode() + b"\n")


def put_table(name: str, table: str) -> None:
    """Put a table between its marks in the README, if it has them."""
    marks = rf"(<!-- table: {re.escape(name)} -->\n).*?(<!-- end of table -->)"
    text = README.read_text()
    replace_file(README, re.sub(marks, lambda m: f"{m[1]}{table}\n{m[2]}", text, flags=re.DOTALL).encode())
