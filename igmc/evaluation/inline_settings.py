"""Settings behind a colon, as in ``igmc:train.epochs=3`` and ``random_80_20:min_rating=3``."""

from __future__ import annotations

import json
from typing import Any

from igmc.errors import ConfigError

__all__ = ["parse_settings"]


def parse_settings(text: str, whole: str, of: str) -> dict[str, Any]:
    """Read ``setting=value,setting=value``; ``a.b=1`` is setting b in section a.

    Args:
        text: the settings. A value is JSON where it can be, else a text.
        whole: what they stand in, for the error.
        of: whose settings they are, for the error.

    Raises:
        ConfigError: on another form.

    >>> parse_settings("layers=[32,32],train.selection=fixed", "", "a model")
    {'layers': [32, 32], 'train': {'selection': 'fixed'}}
    """
    settings: dict[str, Any] = {}
    for part in _split(text):
        key, _, value = (word.strip() for word in part.partition("="))
        if not (key and value):
            raise ConfigError(
                f"cannot read the settings of {of}", got=whole, allowed="NAME:setting=value,setting=value"
            )
        *sections, last = key.split(".")
        place = settings
        for section in sections:
            place = place.setdefault(section, {})
        try:
            place[last] = json.loads(value)
        except ValueError:
            place[last] = value
    return settings


def _split(text: str) -> list[str]:
    """At commas that are not within brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "[{") - (letter in "]}")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part for part in parts if part.strip()]
