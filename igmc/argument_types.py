"""Checks the types of arguments against the annotations of public functions."""

from __future__ import annotations

import functools
import inspect
import itertools
import numbers
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, ParamSpec, TypeVar

from igmc.errors import ConfigError

__all__ = ["checked_types"]

_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")
_SEVERAL = (list, tuple, set, frozenset, range)
# What is read by the function itself, which says more of what it takes than a type does.
_UNCHECKED = (
    *("Any", "RawId", "OwnRatings", "DataLike", "ModelLike", "Frame", "Columns", "ArrayLike", "Protocol"),
)


class _Kind(NamedTuple):
    """One part of an annotation: what it is called in messages, and whether a value is of it."""

    what: str
    fits: Callable[[Any], bool]


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")  # NumPy's


_PLAIN = {
    "None": _Kind("None", lambda value: value is None),
    "str": _Kind("a text", lambda value: isinstance(value, str)),
    "bool": _Kind("true or false", _is_bool),
    "int": _Kind("a whole number", lambda v: isinstance(v, numbers.Integral) and not _is_bool(v)),
    "float": _Kind("a number", lambda v: isinstance(v, numbers.Real) and not _is_bool(v)),
    "Path": _Kind("a path", lambda value: isinstance(value, os.PathLike)),
    "os.PathLike[str]": _Kind("a path", lambda value: isinstance(value, os.PathLike)),
    "Mapping[str, Any]": _Kind("a mapping", lambda value: isinstance(value, Mapping)),
}


def checked_types(function: Callable[_Given, _Found]) -> Callable[_Given, _Found]:
    """Make a function raise a ConfigError on an argument that its annotation does not allow.

    Arguments without an annotation, or with one of `_UNCHECKED`, are left to the function. Seeds are 0 or
    more.

    >>> @checked_types
    ... def double(count: int) -> int:
    ...     return 2 * count
    >>> double(2)
    4
    """
    parameters = inspect.signature(function).parameters
    kinds = {name: _kinds(str(one.annotation)) for name, one in parameters.items() if _is_plain(one)}
    name_of = function.__qualname__.removesuffix(".__init__")

    @functools.wraps(function)
    def checked(*args: _Given.args, **named: _Given.kwargs) -> _Found:
        for name, value in itertools.chain(zip(parameters, args, strict=False), named.items()):
            allowed = kinds.get(name, ())
            if allowed and not any(kind.fits(value) for kind in allowed):
                raise ConfigError(
                    f"{name_of}: {name} has the wrong type",
                    got="None" if value is None else value,
                    allowed=" or ".join(dict.fromkeys(kind.what for kind in allowed)),
                )
            if name == "seed" and isinstance(value, int) and value < 0:
                raise ConfigError(f"{name_of}: {name} is out of range", got=value, allowed="0 or more")
        return function(*args, **named)

    return checked


def _is_plain(parameter: inspect.Parameter) -> bool:
    return parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)


def _kinds(annotation: str) -> tuple[_Kind, ...]:
    """What an annotation allows; nothing if that is for the function to say."""
    parts = re.split(r" \| (?![^\[]*\])", annotation)
    kinds = [_kind(part) for part in parts]
    return () if None in kinds else tuple(kind for kind in kinds if kind is not None)


def _kind(part: str) -> _Kind | None:
    if part in _PLAIN:
        return _PLAIN[part]
    if part.startswith("Sequence["):
        inner = _kinds(part[len("Sequence[") : -1])
        if not inner:
            return None
        one = " or ".join(kind.what for kind in inner)
        return _Kind(
            f"a list, each {one}",
            lambda value: isinstance(value, _SEVERAL) and all(any(k.fits(v) for k in inner) for v in value),
        )
    if part in _UNCHECKED or not part.isidentifier():
        return None
    article = "an" if part[0] in "AEIO" else "a"
    return _Kind(f"{article} {part}", lambda v: any(cls.__name__ == part for cls in type(v).__mro__))
