"""Every knob of igmc, declared once: its default, range, unit and meaning.

The command line is generated from these declarations and checkpoints store them, so a knob that is
added here is at once an option, checked, documented and part of the digest.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from igmc.errors import ConfigError

__all__ = [
    "PRESETS",
    "SECTIONS",
    "SELECTIONS",
    "DataConfig",
    "ExplainConfig",
    "ExtractConfig",
    "ListConfig",
    "ModelConfig",
    "NeighboursConfig",
    "RunConfig",
    "ServeConfig",
    "TrainConfig",
    "TransferConfig",
    "merged",
    "preset_settings",
]

MAX_LEVELS = 256  # relation types are stored as uint8
SELECTIONS = ("fixed", "validation")


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
    choices: tuple[str, ...] | None = None,
    late: bool = False,
    former: Former | None = None,
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
    """
    meta = {"help": help, "low": low, "high": high, "choices": choices, "late": late, "former": former}
    return field(default=default, metadata=meta)


@dataclass(frozen=True)
class Config:
    """Base of the configuration sections: checked on creation, JSON in and out, with a digest."""

    def __post_init__(self) -> None:
        hints = typing.get_type_hints(type(self))
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
        hints = typing.get_type_hints(cls)
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
        hints = typing.get_type_hints(cls)
        for key in values:
            if key not in known:
                sections = {
                    name: dataclasses.fields(hints[name]) for name in known if _is_config(hints[name])
                }
                meant = [f"{name}.{key}" for name, own in sections.items() if key in (f.name for f in own)]
                raise ConfigError(
                    f"unknown setting in {cls.__name__}",
                    got=key,
                    allowed=", ".join(known),
                    remedy=f"give it as {' or '.join(meant)}" if meant else "remove it",
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


@dataclass(frozen=True)
class DataConfig(Config):
    """Which ratings, and how they are split."""

    dataset: str = knob("demo", "name of a data set, or path to a file of ratings")
    columns: str | None = knob(
        None, "names, or positions from 1, of the columns of a file: user,item,rating[,timestamp]"
    )
    duplicates: str = knob(
        "last",
        "what counts of a pair that is rated twice: the last in the file, or the mean",
        choices=("last", "mean", "error"),
    )
    split: str = knob(
        "default", "'default', 'random', or an official split such as u1..u5, ua, ub (ml_100k) or monti"
    )
    test_ratio: float = knob(
        0.1, "share of ratings held out for the test by a random split", low=0.0, high=0.95
    )
    validation_ratio: float = knob(
        0.1, "share of the training ratings set aside for validation", low=0.0, high=0.95
    )
    keep_ratio: float = knob(
        1.0, "share of the training ratings that is kept (sparsity studies)", low=1e-6, high=1.0
    )
    levels: int | None = knob(
        None, "group the ratings into this many levels (relation types)", low=1, high=MAX_LEVELS
    )
    level_method: str = knob(
        "width", "how --levels groups: equal-width bins or quantiles", choices=("width", "quantile")
    )


@dataclass(frozen=True)
class ExtractConfig(Config):
    """What an enclosing subgraph is."""

    hops: int = knob(1, "radius of the enclosing subgraph, in hops", low=1, high=100)
    max_nodes_per_hop: int | None = knob(
        None, "cap on the users, and on the items, added at each hop; no cap if not given", low=1
    )
    sample_ratio: float = knob(1.0, "share of each hop's neighbours that is kept", low=0.0, high=1.0)

    @property
    def samples(self) -> bool:
        """Whether a subgraph may be a sample of the neighbours that there are."""
        return self.max_nodes_per_hop is not None or self.sample_ratio < 1


@dataclass(frozen=True)
class ModelConfig(Config):
    """The IGMC network (Zhang & Chen, ICLR 2020)."""

    layers: tuple[int, ...] = knob((32, 32, 32, 32), "output width of each RGCN layer", low=1, high=4096)
    bases: int | None = knob(
        4, "basis matrices that the relations share; one free matrix per relation if not given", low=1
    )
    norm: str = knob(
        "none",
        "how messages are averaged: 'none' sums, 'relation' divides by |N_r(i)|, 'degree' by |N(i)|",
        choices=("none", "relation", "degree"),
    )
    init: str = knob(
        "glorot",
        "first weights of the convolutions: 'glorot', or 'uniform', far smaller, which suits dense graphs",
        choices=("glorot", "uniform"),
        late=True,
    )
    edge_dropout: float = knob(0.2, "share of edges dropped in training", low=0.0, high=0.99)
    edge_dropout_mode: str = knob(
        "direction",
        "drop each direction of an edge on its own, or both together",
        choices=("direction", "both"),
    )
    mlp_width: int = knob(128, "hidden width of the MLP that reads the rating", low=1, high=65536)
    mlp_dropout: float = knob(0.5, "dropout before the last linear layer", low=0.0, high=0.99)
    side_features: bool = knob(False, "give the MLP the side features of the target user and item too")


@dataclass(frozen=True)
class TrainConfig(Config):
    """How the network is trained."""

    selection: str = knob(
        "validation",
        "how checkpoints are selected. 'fixed': the last ones of a fixed number of epochs, trained on "
        "validation ratings too, as in the paper; 'validation': the best ones on validation, with early "
        "stopping",
        choices=SELECTIONS,
        former=Former("protocol", {"fixed": "paper", "validation": "validated"}),
    )
    epochs: int = knob(40, "passes over the training pairs", low=1)
    batch_size: int = knob(50, "subgraphs a step", low=1)
    learning_rate: float = knob(1e-3, "Adam's step size", low=1e-12, high=10.0)
    decay_factor: float = knob(0.1, "the learning rate is multiplied by this ...", low=1e-6, high=1.0)
    decay_every: int = knob(50, "... every so many epochs", low=1)
    arr: float = knob(0.001, "weight of the adjacent-rating regularization", low=0.0)
    patience: int = knob(
        10,
        "epochs without a better validation RMSE before stopping ('validation'), after the first decay of "
        "the learning rate where one comes",
        low=1,
    )
    ensemble_size: int = knob(4, "number of checkpoints whose predictions are averaged", low=1)
    ensemble_every: int = knob(
        10, "epochs between those checkpoints, the last one at the end ('fixed')", low=1
    )
    support_dropout: float = knob(
        0.0,
        "share of the training subgraphs whose target shows but a few of its ratings, as new ones do, and "
        "those of thinner data sets",
        low=0.0,
        high=1.0,
        late=True,
    )
    support_dropout_side: str = knob(
        "user",
        "which target that is; with 'both', each of the two on its own",
        choices=("user", "item", "both"),
        late=True,
    )
    support_dropout_max: int = knob(
        10,
        "the most that it shows then: from 1 to this many, few of them more often (log-uniform)",
        low=1,
        high=2**31 - 1,
        late=True,
    )


@dataclass(frozen=True)
class NeighboursConfig(Config):
    """The neighbours network, and how it is trained."""

    selection: str = knob(
        "validation",
        "'validation': the best epoch on validation, shrunk towards the biases as far as that suits it; "
        "'fixed': the last epoch, trained on validation ratings too",
        choices=SELECTIONS,
    )
    max_neighbors: int = knob(
        100, "cap on the neighbours of each side: those that agree or disagree most with the target", low=1
    )
    members: int = knob(2, "networks that are trained side by side and answer by their mean", low=1, high=64)
    epochs: int = knob(8, "passes over the training pairs", low=1)
    pairs_per_epoch: int = knob(400_000, "training pairs that make a pass at most", low=1)
    batch_size: int = knob(200, "pairs a step", low=1)
    learning_rate: float = knob(5e-3, "AdamW's step size at its highest", low=1e-12, high=10.0)
    weight_decay: float = knob(1e-4, "AdamW's decay of the weights", low=0.0)
    dropout: float = knob(0.1, "dropout before the last linear layer", low=0.0, high=0.99)
    newcomers: float = knob(
        0.02,
        "share of the users, and of the items, that play newcomers at a time, with 1 to 10 ratings",
        low=0.0,
        high=0.5,
    )


@dataclass(frozen=True)
class RunConfig(Config):
    """All that determines a run."""

    network: str = knob(
        "rgcn",
        "'rgcn', the paper's, or 'neighbours', a learned neighbourhood method on closed-form statistics",
        choices=("rgcn", "neighbours"),
        late=True,
    )
    data: DataConfig = field(default_factory=DataConfig)
    extract: ExtractConfig = field(default_factory=ExtractConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    neighbours: NeighboursConfig = field(default_factory=NeighboursConfig)
    live: bool | None = knob(
        None,
        "extract while training, sampled anew each epoch, instead of from the store; by size if not given",
    )
    seed: int = knob(1, "seed of everything random", low=0, high=2**32 - 1)

    @property
    def training(self) -> TrainConfig:
        """How checkpoints are selected, whatever the network."""
        if self.network == "rgcn":
            return self.train
        own = self.neighbours
        return TrainConfig(selection=own.selection, epochs=own.epochs, ensemble_size=1)

    def _stored(self) -> list[tuple[dataclasses.Field[Any], Any]]:
        """Without what is for another network."""
        hidden = {name for network, names in SECTIONS.items() if network != self.network for name in names}
        return [(f, value) for f, value in super()._stored() if f.name not in hidden]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """See `Config.from_dict`.

        Raises:
            ConfigError: also on settings of another network than the one that is named.
        """
        if isinstance(values, Mapping):
            network = values.get("network", "rgcn")
            for other, names in SECTIONS.items():
                for name in names:
                    if other != network and name in values:
                        raise ConfigError(
                            f"{name} holds settings of the network {other}",
                            got=f"network {network}",
                            remedy=f"leave them out, or set network to {other}",
                        )
        return super().from_dict(values)


# What of `RunConfig` is for one network alone.
SECTIONS = {"rgcn": ("extract", "model", "train", "live"), "neighbours": ("neighbours",)}


@dataclass(frozen=True)
class TransferConfig(Config):
    """How a trained model is applied to another data set."""

    rescale: str = knob(
        "ratio",
        "what a prediction means there: times the ratio of the highest ratings, as in the paper; lowest to "
        "lowest and highest to highest ('range'); or by the mean rating of each level",
        choices=("ratio", "range", "levels"),
    )
    fallback: bool = knob(
        False, "answer by damped means where the user or item has no rating, instead of asking the model"
    )
    adapt: str = knob(
        "none",
        "what is learned there: nothing; a line that brings predictions to the ratings; or the weights, "
        "trained further",
        choices=("none", "calibrate", "finetune"),
    )
    percent: float = knob(
        1.0, "per cent of the training ratings there that this is learned from", low=0.0, high=100.0
    )
    epochs: int = knob(5, "passes over those ratings ('finetune')", low=1)
    learning_rate: float = knob(1e-4, "Adam's step size ('finetune')", low=1e-12, high=10.0)
    seed: int = knob(1, "seed of the split, and of which ratings are learned from", low=0, high=2**32 - 1)


@dataclass(frozen=True)
class ListConfig(Config):
    """How long a list is, and how much work goes into it."""

    k: int = knob(10, "length of the list", low=1)
    min_score: float | None = knob(None, "leave out what is predicted to get less than this")
    bottom: bool = knob(False, "the least relevant items instead, the worst first")
    candidates: int = knob(
        200, "items that the model scores, the most promising by co-rating; more if the list needs it", low=1
    )
    budget: int = knob(2_000_000, "ratings read at most, in each of two steps, to find the candidates", low=1)
    exhaustive: bool = knob(False, "let the model score all items, with no choice of candidates before")


@dataclass(frozen=True)
class ExplainConfig(Config):
    """How a prediction is explained, and how much of it is shown."""

    method: str = knob(
        "occlusion",
        "importance of a rating: what the prediction loses without it, or by the gradient, to first order",
        choices=("occlusion", "gradient"),
    )
    top: int = knob(12, "neighbours shown at most, of the user and of the item each", low=1)
    limit: int = knob(
        1000,
        "ratings of the pair's user and item that are left out in turn, at most; where there are more, those "
        "with the largest gradient",
        low=1,
    )


@dataclass(frozen=True)
class ServeConfig(Config):
    """What the server lets a request take."""

    threads: int = knob(2, "requests that are worked on at once", low=1, high=256)
    queue: int = knob(32, "requests that wait for a thread; one more is turned away", low=0, high=100_000)
    timeout: float = knob(10.0, "seconds after which an answer is given up", low=0.01, high=3600.0)
    max_body: int = knob(65_536, "bytes of a request's body at most", low=1024, high=2**30)
    max_ratings: int = knob(500, "ratings in a request at most", low=1, high=1_000_000)


# What differs from the defaults, by network and data set. "rgcn" is the network of the paper: with it ml_100k
# and ml_1m have the paper's settings, as have the Monti sets by the defaults; the others have ours.
_PRESETS: dict[str, dict[str, dict[str, dict[str, Any]]]] = {
    "rgcn": {
        "ml_100k": {
            "extract": {"max_nodes_per_hop": 200},
            "model": {"init": "uniform"},
            "train": {"epochs": 80},
        },
        "ml_1m": {
            "extract": {"max_nodes_per_hop": 100},
            "model": {"edge_dropout": 0.0, "init": "uniform"},
            "train": {"epochs": 40, "decay_every": 20, "ensemble_every": 5},
        },
        "ml_10m": {"extract": {"max_nodes_per_hop": 100}, "train": {"epochs": 10, "ensemble_every": 2}},
        "ml_25m": {"extract": {"max_nodes_per_hop": 100}, "train": {"epochs": 10, "ensemble_every": 2}},
        "ml_latest_small": {"extract": {"max_nodes_per_hop": 200}},
        "demo": {"extract": {"max_nodes_per_hop": 50}, "train": {"epochs": 12, "ensemble_every": 1}},
    },
}

PRESETS = tuple(_PRESETS["rgcn"])  # the data sets for which `preset_settings` differ from the defaults


def preset_settings(dataset: str, network: str = "rgcn") -> dict[str, dict[str, Any]]:
    """The settings for a data set where they differ from the defaults, by section of `RunConfig`.

    Args:
        dataset: a name of the catalogue; of any other there are none.
        network: the one that is trained; "rgcn" is the paper's.

    >>> preset_settings("ml_100k")["train"]
    {'epochs': 80}
    """
    presets = _PRESETS.get(network, {})
    return {section: dict(values) for section, values in presets.get(dataset, {}).items()}


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of both, section by section; where both have one, that of `above`.

    >>> merged({"train": {"epochs": 80, "arr": 0.1}}, {"train": {"epochs": 3}})
    {'train': {'epochs': 3, 'arr': 0.1}}
    """
    found = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(found.get(key), Mapping)
        found[key] = merged(found[key], value) if both else value
    return found


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
