"""What a configuration section is: knobs, checked on creation, stored as JSON, told apart by a digest."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import math
import types
import typing
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple, Self

from igmc.errors import ConfigError

__all__ = ["Config", "Former", "knob"]


class Former(NamedTuple):
    """What a knob was called before.

    Attributes:
        name: its former name.
        values: those of its values that were called otherwise too, present name -> former name.
    """

    name: str
    values: Mapping[str, str]

    def present(self, value: Any) -> Any:
        """What a former value is called now; any other one is left as it is."""
        return next((now for now, then in self.values.items() if then == value), value)


def knob(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: Collection[str] | None = None,
    late: bool = False,
    former: Former | None = None,
    short: str | None = None,
) -> Any:
    """A dataclass field with the metadata that validation, ``--help`` and the documentation read.

    Args:
        default: the value when the user says nothing.
        help: one sentence, with the unit where there is one.
        low, high: inclusive bounds of a number, or of each number of a tuple.
        choices: the allowed strings.
        late: declared after settings had been stored. `Config.to_dict` leaves it out while it has its
            default, so that those settings, and what is named after their digest, are still the same.
        former: what it was called when settings had been stored. It is read under that name too, and counts
            in `Config.identity` under that name alone.
        short: another name of its option, which knobs of several networks may share.
    """
    meta = {"help": help, "low": low, "high": high, "choices": choices, "late": late, "former": former}
    meta["short"] = short
    return field(default=default, metadata=meta)


@dataclass(frozen=True)
class Config:
    """Base of the configuration sections: checked on creation, JSON in and out, with a digest."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__repr__ = Config.__repr__  # type: ignore[method-assign] # else dataclass makes one

    def __repr__(self) -> str:
        """The settings that are not at their defaults."""
        shown = []
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            usual = f.default if f.default_factory is dataclasses.MISSING else f.default_factory()
            if value != usual:
                shown.append(f"{f.name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def __post_init__(self) -> None:
        hints = _hints(type(self))
        for knob_field in dataclasses.fields(self):
            value = _coerced(getattr(self, knob_field.name), hints[knob_field.name])
            object.__setattr__(self, knob_field.name, value)
            _check(type(self).__name__, knob_field, hints[knob_field.name], value)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types only, in the order of declaration; without `late` knobs at their default."""
        return {
            f.name: value.to_dict() if isinstance(value, Config) else _plain(value)
            for f, value in self._stored()
        }

    def identity(self) -> dict[str, Any]:
        """`to_dict` under the names that the settings had when they were first stored.

        Digests, and the names of folders and of stored results, are made from it, so that a setting that is
        renamed changes none of them.
        """
        found: dict[str, Any] = {}
        for f, value in self._stored():
            plain: Any = value.identity() if isinstance(value, Config) else _plain(value)
            former: Former | None = f.metadata.get("former")
            found |= {f.name: plain} if former is None else {former.name: former.values.get(plain, plain)}
        return found

    @classmethod
    def first_name(cls, name: str) -> str:
        """What a setting was called when it was first stored."""
        former: Former | None = cls.__dataclass_fields__[name].metadata.get("former")
        return name if former is None else former.name

    def _stored(self) -> list[tuple[dataclasses.Field[Any], Any]]:
        """The fields with their values; without `late` knobs at their default."""
        pairs = [(f, getattr(self, f.name)) for f in dataclasses.fields(self)]
        return [(f, value) for f, value in pairs if not (f.metadata.get("late") and value == f.default)]

    @classmethod
    def current(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Settings with former names and values replaced by the present ones, in sections too.

        Raises:
            ConfigError: if a setting is given under both of its names.
        """
        hints = _hints(cls)
        renamed = {former.name: f for f in dataclasses.fields(cls) if (former := f.metadata.get("former"))}
        found: dict[str, Any] = {}
        for key, value in values.items():
            if key in renamed:
                field_now = renamed[key]
                if field_now.name in values:
                    raise ConfigError(
                        f"a setting of {cls.__name__} is given twice",
                        got=f"{key} and {field_now.name}",
                        remedy=f"remove {key}, the former name",
                    )
                found[field_now.name] = field_now.metadata["former"].present(value)
            elif _is_config(hints.get(key)) and isinstance(value, Mapping):
                found[key] = hints[key].current(value)
            else:
                found[key] = value
        return found

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`; keys that are left out take their defaults. Former names are read too.

        Raises:
            ConfigError: on an unknown key, a value that is not allowed, or a setting that is given twice.
        """
        if not isinstance(values, Mapping):
            raise ConfigError(f"{cls.__name__} is not a mapping", got=values, allowed="a JSON object")
        values = cls.current(values)
        known = [f.name for f in dataclasses.fields(cls)]
        hints = _hints(cls)
        for key in values:
            if key not in known:
                sections = {
                    name: dataclasses.fields(hints[name]) for name in known if _is_config(hints[name])
                }
                every = [f"{name}.{f.name}" for name, own in sections.items() for f in own]
                meant = [name for name in every if name.endswith(f".{key}")] or _near(key, [*known, *every])
                raise ConfigError(
                    f"unknown setting in {cls.__name__}",
                    got=key,
                    allowed=", ".join(known),
                    remedy=f"did you mean {' or '.join(meant)}?" if meant else "remove it",
                )
        return cls(
            **{
                key: hints[key].from_dict(value) if _is_config(hints[key]) else value
                for key, value in values.items()
            }
        )

    def replace(self, **changes: Any) -> Self:
        """A copy with some settings changed, checked again."""
        return dataclasses.replace(self, **changes)

    def digest(self) -> str:
        """16 hex digits that are equal exactly when all settings are."""
        text = json.dumps(self.identity(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _near(key: object, known: list[str]) -> list[str]:
    """Settings that may have been meant, by section where they stand in one."""
    bare = [name.rpartition(".")[2] for name in known]
    near = difflib.get_close_matches(str(key), bare, n=1)
    return [name for name, last in zip(known, bare, strict=True) if last in near]


def _hints(config: type[Config]) -> Mapping[str, Any]:
    """The types of the settings."""
    found: Mapping[str, Any] = _cached_hints(typing.cast("Hashable", config))
    return found


_cached_hints = cache(typing.get_type_hints)  # Python compiles the text of each when it is asked


def _is_config(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Config)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _coerced(value: Any, hint: Any) -> Any:
    """JSON has no tuples and writes 1.0 as 1 in places; nothing else is converted."""
    if isinstance(value, list):
        return tuple(value)
    if float in (hint, *typing.get_args(hint)) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _check(section: str, knob_field: dataclasses.Field[Any], hint: Any, value: Any) -> None:
    where = f"{section}.{knob_field.name}"
    if not _matches(value, hint):
        raise ConfigError(f"{where} has the wrong type", got=value, allowed=_describe(hint))
    meta = knob_field.metadata
    if meta.get("choices") and value not in meta["choices"]:
        raise ConfigError(f"{where} is not known", got=value, allowed=", ".join(meta["choices"]))
    low, high = meta.get("low"), meta.get("high")
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, bool) or not isinstance(number, int | float):
            continue
        if (
            not math.isfinite(number)
            or (low is not None and number < low)
            or (high is not None and number > high)
        ):
            allowed = " and ".join(
                part
                for part in (
                    low is not None and f"at least {low:.12g}",
                    high is not None and f"at most {high:.12g}",
                )
                if part
            )
            raise ConfigError(f"{where} is out of range", got=value, allowed=allowed or "a finite number")


def _matches(value: Any, hint: Any) -> bool:
    if isinstance(hint, types.UnionType):
        return any(_matches(value, part) for part in typing.get_args(hint))
    if hint is types.NoneType:
        return value is None
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)[0]
        return isinstance(value, tuple) and len(value) > 0 and all(_matches(v, inner) for v in value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)


def _describe(hint: Any) -> str:
    if isinstance(hint, types.UnionType):
        return " or ".join(_describe(part) for part in typing.get_args(hint))
    if hint is types.NoneType:
        return "nothing"
    if typing.get_origin(hint) is tuple:
        return f"one or more {_describe(typing.get_args(hint)[0])}s"
    return {int: "whole number", float: "number", str: "text", bool: "true or false"}.get(hint, str(hint))
