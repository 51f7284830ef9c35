"""JSON objects that carry a digest of themselves, so that a bit that flips changes no figure unnoticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from igmc.errors import DataError

__all__ = ["CHECKSUM", "dump_checked", "load_checked"]

CHECKSUM = "checksum"


def dump_checked(value: Mapping[str, Any], *, allow_nan: bool = False) -> bytes:
    """The object as JSON, with the SHA-256 of the rest under "checksum".

    Raises:
        ValueError: on a number that is not finite, unless they are allowed.
    """
    text = json.dumps({**value, CHECKSUM: _digest(value)}, indent=1, allow_nan=allow_nan)
    return text.encode() + b"\n"


def load_checked(content: bytes) -> dict[str, Any]:
    """The object, without its checksum; one that was written without is taken as it is.

    Raises:
        ValueError: if this is no JSON.
        DataError: if it is no object, or not what its checksum was made of.
    """
    value = json.loads(content)
    if not isinstance(value, dict):
        raise DataError("not a JSON object", got=value, allowed="a JSON object")
    checksum = value.pop(CHECKSUM, None)
    if checksum is not None and checksum != _digest(value):
        raise DataError(
            "the content does not fit its checksum",
            got=checksum,
            allowed=_digest(value),
            remedy="restore the file from a copy; if you changed it on purpose, remove its checksum",
        )
    return value


def _digest(value: Mapping[str, Any]) -> str:
    """Of the content, however it is laid out."""
    plain = json.loads(json.dumps(value))  # tuples are lists there, keys are text
    return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
