"""Which models are evaluated: a name in the registry, settings, and a label for the tables."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from igmc.config import merged
from igmc.errors import ConfigError
from igmc.evaluation.inline_settings import parse_settings
from igmc.recommenders import Model, Recommender, make_recommender, recommender_class

__all__ = ["ModelLike", "ModelSpec"]


@dataclass(frozen=True)
class ModelSpec:
    """A model of the harness before it is made.

    Attributes:
        name: in the registry of recommenders.
        settings: those that differ from the model's defaults and from its preset for the data set.
        label: what tables call it; the name if empty.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", recommender_class(self.name).name)
        if not self.label:
            object.__setattr__(self, "label", self.name)

    @classmethod
    def of(cls, given: ModelLike) -> ModelSpec:
        """Whatever `igmc.evaluate` takes for a model.

        Raises:
            ConfigError: on something else; see also `parse`.
        """
        if isinstance(given, ModelSpec):
            return given
        if isinstance(given, str):
            return cls.parse(given)
        if isinstance(given, Model):
            return cls(given.name, given.settings)
        if isinstance(given, type) and issubclass(given, Model):
            return cls(given.name)
        raise ConfigError(
            "this is not a model",
            got=given,
            allowed='a name such as "mf:factors=32", or a recommender',
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``[label=]name[:setting=value,...]`` or ``[label=]name@settings.json``.

        A value is JSON where it can be, else a text; ``a.b=1`` is setting b in section a.

        Raises:
            ConfigError: on another form, an unknown name, or a file that is no JSON object.

        >>> ModelSpec.parse("deep=igmc:train.epochs=3,train.selection=fixed").settings
        {'train': {'epochs': 3, 'selection': 'fixed'}}
        """
        head, mark, rest = text.partition("@" if "@" in text.partition(":")[0] else ":")
        label, _, name = head.rpartition("=")
        settings = _read(Path(rest)) if mark == "@" else parse_settings(rest, text, "a model")
        return cls(name.strip(), settings, label.strip())

    def make(self, dataset: str, seed: int) -> Recommender:
        """The model, not fitted, under its preset for a data set and these settings above it.

        Raises:
            ConfigError: on a setting that is unknown or not allowed.
        """
        cls = recommender_class(self.name)
        try:
            settings = merged(cls.preset(dataset), cls.config_class.current(self.settings))
            return make_recommender(self.name, settings, seed=seed)
        except ConfigError as error:  # the command line would take a Config.name for an option
            what = re.sub(r"\b\w+Config\.", "", error.what)
            raise ConfigError(
                f"model {self.label}: {what}", got=error.got, allowed=error.allowed, remedy=error.remedy
            ) from None


ModelLike = ModelSpec | Model | type[Model] | str


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read the settings {path}: {error}") from error
    if not isinstance(value, dict):
        raise ConfigError(f"the settings {path} are not a JSON object", got=type(value).__name__)
    return value
