"""Ratings from JSON: one object per line, or one array of objects."""

from __future__ import annotations

import array
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

from igmc.errors import ConfigError, DataError
from igmc.ratings.raw_ratings import RawRatings
from igmc.ratings.readers.columns import are_positions, choose
from igmc.ratings.readers.files import RatingFile
from igmc.ratings.readers.values import TypedRows

__all__ = ["json_objects", "looks_like_json", "read_json"]

_BEGINNING = re.compile(rb"(\[\s*)?\{\s*[\"'}]")
_SUFFIXES = (".json", ".jsonl", ".ndjson")


def looks_like_json(file: RatingFile) -> bool:
    """Whether a file begins as JSON does, or its name says that it is."""
    with file.open() as stream:
        head = stream.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    return _BEGINNING.match(head) is not None or file.suffix in _SUFFIXES


def read_json(
    file: RatingFile,
    columns: tuple[str, ...] | None,
    encoding: str | None = None,
    *,
    implicit: bool = False,
) -> RawRatings:
    """The ratings in a file of JSON.

    Args:
        columns: see `parse_columns`; names of members, those of an object within as in ``user.id``.
        encoding: UTF-8 if None.
        implicit: whether there may be no ratings.

    Raises:
        ConfigError: if columns are given by position.
        DataError: naming the line that makes no sense.
    """
    if are_positions(columns):
        raise ConfigError(
            "the members of JSON have names", got=",".join(columns or ()), allowed="names of members"
        )
    lines = array.array("q")
    objects = json_objects(file, encoding)
    first = next(objects, None)
    if first is None:
        raise DataError(f"{file} is empty", allowed="at least one rating", remedy="check the file")
    names = columns or _usual(f"{file}, line {first[0]}", first[1], implicit)
    rows = TypedRows(
        lambda k: f"{file}, line {lines[min(k, len(lines) - 1)]}", timed=len(names) == 4, rated=bool(names[2])
    )
    for line, one in itertools.chain([first], objects):
        lines.append(line)
        rows.add(*(_member(one, name) if name else 1 for name in names))
    return rows.finished()


def json_objects(file: RatingFile, encoding: str | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """The number of the line, from 1, and each object; of an array the number of the object.

    Raises:
        DataError: naming what is not a JSON object.
    """
    with file.open_text(encoding or "utf-8-sig") as text:
        try:
            for number, line in enumerate(text, start=1):
                if number == 1 and line.lstrip().startswith("["):
                    yield from _array(file, line + text.read())
                    return
                if line.strip():
                    yield number, _object(f"{file}, line {number}", line)
        except UnicodeDecodeError as error:
            raise DataError(
                f"{file} is not UTF-8 text ({error})",
                remedy="name its encoding with --encoding, or write it again",
            ) from error


def _array(file: RatingFile, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise _no_json(f"{file}, line {error.lineno}", error) from error
    for number, one in enumerate(found, start=1):
        if not isinstance(one, dict):
            raise DataError(f"{file}, object {number}: it is not a JSON object", got=one, allowed="objects")
        yield number, one


def _object(where: str, line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except json.JSONDecodeError as error:
        raise _no_json(where, error) from error
    if not isinstance(found, dict):
        raise DataError(
            f"{where}: it is not a JSON object", got=found, allowed="one object per line, or one array"
        )
    return found


def _no_json(where: str, error: json.JSONDecodeError) -> DataError:
    return DataError(
        f"{where}: it is not JSON ({error.msg}, column {error.colno})",
        allowed="one object per line, or one array of objects",
        remedy="fix or remove this line; members and texts stand between double quotes",
    )


def _usual(where: str, one: dict[str, Any], implicit: bool) -> tuple[str, ...]:
    names = list(one)
    return tuple("" if k is None else names[k] for k in choose(where, names, None, implicit=implicit))


def _member(one: dict[str, Any], name: str) -> Any:
    if name in one or "." not in name:
        return one.get(name)
    found: Any = one
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found
