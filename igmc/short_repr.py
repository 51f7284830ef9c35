"""What an object shows of itself in a prompt or a notebook: one line, whatever it holds."""

from __future__ import annotations

import dataclasses
from typing import Any

__all__ = ["short_repr"]

_LONGEST = 200  # characters in all
_PART = 60  # characters of one attribute


def short_repr(value: Any) -> str:
    """The ``__repr__`` of a dataclass, in 200 characters at most: arrays by type and shape, lists by length.

    >>> @dataclasses.dataclass
    ... class Pair:
    ...     left: list[int]
    ...     right: str
    ...     __repr__ = short_repr
    >>> Pair(list(range(9)), "b")
    Pair(left=9 items, right='b')
    """
    parts: list[str] = []
    for field in dataclasses.fields(value):
        part = f"{field.name}={_short(getattr(value, field.name))}"
        if sum(map(len, parts)) + 2 * len(parts) + len(part) > _LONGEST - 60:
            parts.append("...")
            break
        parts.append(part)
    return f"{type(value).__name__}({', '.join(parts)})"


def _short(value: Any) -> str:
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"{str(value.dtype).removeprefix('torch.')} {list(value.shape)}"
    if hasattr(value, "columns") and hasattr(value, "shape"):
        return f"a frame {list(value.shape)}"
    if isinstance(value, list | tuple | dict | set | frozenset) and len(value) > 3:
        return f"{len(value)} items"
    text = repr(value)
    return text if len(text) <= _PART else f"{text[: _PART - 3]}..."
