"""What a search for better settings may try: ranges of numbers, and lists of values."""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from igmc.config import Config
from igmc.errors import ConfigError

__all__ = ["OneOf", "Range", "SearchSpace", "checked_space", "parse_space", "setting_names", "with_settings"]

_Config = TypeVar("_Config", bound=Config)


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; whole ones if both are.

    Attributes:
        low, high: finite, `low` below `high`.
        log: whether ratios count instead of differences, as they do where orders of magnitude are open; then
            `low` is above 0.

    Raises:
        ConfigError: on other bounds.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ConfigError(
                "a range is empty", got=f"{self.low}:{self.high}", allowed="low:high, low < high"
            )
        if self.log and self.low <= 0:
            raise ConfigError("a logarithmic range must be above 0", got=self.low)

    @property
    def whole(self) -> bool:
        """Whether it holds whole numbers only."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def ends(self) -> tuple[Any, ...]:
        """Both bounds: if they are allowed, all is."""
        return self.low, self.high

    def holds(self, value: Any) -> bool:
        """Whether a value is in it."""
        kinds = (int,) if self.whole else (int, float)
        return isinstance(value, kinds) and not isinstance(value, bool) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:g}:{self.high:g}" + ":log" * self.log


@dataclass(frozen=True)
class OneOf:
    """Some values without an order, of plain JSON types: tuples are given as lists."""

    values: tuple[Any, ...]

    @property
    def ends(self) -> tuple[Any, ...]:
        """All values."""
        return self.values

    def holds(self, value: Any) -> bool:
        """Whether a value is one of them."""
        return value in self.values

    def __str__(self) -> str:
        return ",".join(json.dumps(value) for value in self.values)


SearchSpace = Mapping[str, Range | OneOf]  # by setting; ``a.b`` is setting b in section a


def setting_names(cls: type[Config], prefix: str = "") -> list[str]:
    """All settings, those of a section below its name.

    >>> from igmc.config import RunConfig
    >>> [name for name in setting_names(RunConfig) if "decay_" in name]
    ['train.decay_factor', 'train.decay_every']
    """
    names: list[str] = []
    usual = cls()
    for one in dataclasses.fields(cls):
        value = getattr(usual, one.name)
        inner = isinstance(value, Config)
        names += setting_names(type(value), f"{prefix}{one.name}.") if inner else [prefix + one.name]
    return names


def with_settings(config: _Config, settings: Mapping[str, Any]) -> _Config:
    """A copy with some settings changed.

    Args:
        config: stays as it is.
        settings: by names as `setting_names` gives them.

    Raises:
        ConfigError: on a value that is not allowed.
    """
    plain = config.to_dict()
    for name, value in settings.items():
        *sections, last = name.split(".")
        place = plain
        for section in sections:
            place = place[section]
        place[last] = value
    return type(config).from_dict(plain)


def checked_space(model: str, config: Config, space: SearchSpace) -> dict[str, Range | OneOf]:
    """The space as it was given, once each of its settings exists and may have each of its values.

    Args:
        model: its name, for messages.
        config: of the model; what is not searched stays as it is there.
        space: what is searched.

    Raises:
        ConfigError: on a setting or value that the model does not have.
    """
    names = setting_names(type(config))
    if not names:
        raise ConfigError(f"{model} has no settings to tune", remedy="choose another model")
    for name, choice in space.items():
        if name not in names:
            near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
            raise ConfigError(
                f"{model} has no setting of this name to search",
                got=name,
                allowed=", ".join(names),
                remedy=f"did you mean {' or '.join(near)}?" if near else None,
            )
        for value in choice.ends:
            try:
                with_settings(config, {name: value})
            except ConfigError as error:
                raise ConfigError(
                    f"{model} does not accept this value of {name}", got=value, allowed=error.allowed
                ) from error
    return dict(space)


def parse_space(text: str) -> tuple[str, Range | OneOf]:
    """Read ``setting=low:high``, ``setting=low:high:log`` or ``setting=value,value,...``.

    A value is JSON where it can be, else a text.

    Raises:
        ConfigError: on another form.

    >>> parse_space("train.learning_rate=1e-4:1e-2:log")
    ('train.learning_rate', Range(low=0.0001, high=0.01, log=True))
    >>> parse_space("model.layers=[32,32],[64]")
    ('model.layers', OneOf(values=([32, 32], [64])))
    """
    name, mark, given = (part.strip() for part in text.partition("="))
    if not (name and mark and given):
        raise _malformed(text)
    numbers = given.split(":")
    if len(numbers) == 1:
        return name, OneOf(_values(given))
    if len(numbers) > 3 or (len(numbers) == 3 and numbers[2] != "log"):
        raise _malformed(text)
    low, high = (_number(part, text) for part in numbers[:2])
    return name, Range(low, high, log=len(numbers) == 3)


def _malformed(text: str) -> ConfigError:
    return ConfigError(
        "cannot read the search space",
        got=text,
        allowed="setting=low:high, setting=low:high:log or setting=value,value,...",
    )


def _number(part: str, text: str) -> float:
    for kind in (int, float):
        try:
            return kind(part)
        except ValueError:
            continue
    raise _malformed(text)


def _values(text: str) -> tuple[Any, ...]:
    try:
        found = json.loads(f"[{text}]")
    except ValueError:
        found = [_value(word.strip()) for word in text.split(",") if word.strip()]
    return tuple(found)


def _value(word: str) -> Any:
    try:
        return json.loads(word)
    except ValueError:
        return word
