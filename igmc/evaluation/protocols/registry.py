"""Evaluation protocols by name: what is held out, drawn from a seed, and what may be measured on it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from igmc.errors import ConfigError, DataError
from igmc.evaluation.inline_settings import parse_settings
from igmc.evaluation.protocols import inductive, published, transductive
from igmc.evaluation.protocols.base import HeldOut, ProtocolSettings
from igmc.ratings import Dataset, Split, build_split

__all__ = ["PROTOCOLS", "Protocol", "make_protocol"]


@dataclass(frozen=True)
class _Definition:
    """A line of the registry.

    Attributes:
        text: what is held out; ``{s.k}`` stands for a setting.
        kind: as in `Protocol`.
        settings: their class, with the defaults.
        draw: (data set, settings, seed) -> the parts.
    """

    text: str
    kind: str
    settings: type[ProtocolSettings]
    draw: Callable[[Dataset, Any, int], HeldOut]


PROTOCOLS: dict[str, _Definition] = {
    "official": _Definition(
        "the test part of the data set's own split ({s.split})",
        "both",
        transductive.Official,
        transductive.official,
    ),
    "random_80_20": _Definition(
        "{s.test_ratio:.0%} of all ratings, drawn at random",
        "both",
        transductive.RandomEdges,
        transductive.random_edges,
    ),
    "stratified_75_25": _Definition(
        "{s.test_ratio:.0%} of the ratings of each user, drawn at random",
        "both",
        transductive.Stratified,
        transductive.stratified,
    ),
    "random_8_1_1": _Definition(
        "{s.test_share:.0%} of the ratings, drawn at random; {s.validation_share:.0%} are for validation",
        "both",
        transductive.ThreeShares,
        transductive.three_shares,
    ),
    "leave_last_out": _Definition(
        "the last rating of each user by time; the one before is for validation",
        "both",
        transductive.LeaveLastOut,
        transductive.leave_last_out,
    ),
    "thinned": _Definition(
        "the test part of a split ({s.split}), with {s.keep_ratio:g} of its training ratings kept",
        "both",
        transductive.Thinned,
        transductive.thinned,
    ),
    "unseen_users": _Definition(
        "all ratings of unseen users (by {s.by}), except {s.revealed} that each reveals at test time; "
        "validation is on known users",
        "both",
        inductive.UnseenUsers,
        inductive.unseen_users,
    ),
    "unseen_items": _Definition(
        "all ratings of unseen items (by {s.by}), except {s.revealed} that each reveals at test time; "
        "validation is on known items",
        "rating",
        inductive.UnseenItems,
        inductive.unseen_items,
    ),
    "unseen_both": _Definition(
        "the ratings of unseen users for unseen items (by {s.by}); each of both reveals {s.revealed} that it "
        "shares with the known at test time; validation is on known users and items",
        "rating",
        inductive.UnseenBoth,
        inductive.unseen_both,
    ),
    "idcf": _Definition(
        "the test ratings of users with fewer than {s.min_known} training ratings, which are {s.use} "
        "(IDCF, ICML 2021)",
        "rating",
        published.Idcf,
        published.idcf,
    ),
    "hire": _Definition(
        "the ratings of {s.state}, except {s.percent:g} % that each cold one shows at test time; "
        "validation is on known users and items (HIRE, ICDE 2025)",
        "rating",
        published.Hire,
        published.hire,
    ),
}


@dataclass(frozen=True)
class Protocol:
    """A way to divide a data set; `make_protocol` makes one.

    Attributes:
        name: one of `PROTOCOLS`.
        settings: all its settings, of the class that the registry names.
    """

    name: str
    settings: ProtocolSettings

    @property
    def description(self) -> str:
        """What is held out, in words."""
        return PROTOCOLS[self.name].text.format(s=self.settings)

    @property
    def kind(self) -> str:
        """The metrics that make sense.

        "rating": errors, and orders of the pairs that are asked; "ranking": full rankings over all items that
        a user has not rated; "both".
        """
        return PROTOCOLS[self.name].kind

    @property
    def refit(self) -> bool:
        """Whether the final model is fitted to training and validation ratings, with what was chosen."""
        return self.settings.refit

    @property
    def label(self) -> str:
        """The name and the settings that are not the defaults; `make_protocol` reads it.

        >>> make_protocol("random_80_20", {"min_rating": 3}).label
        'random_80_20:min_rating=3.0'
        """
        given, usual = self.settings.to_dict(), type(self.settings)().to_dict()
        changed = [f"{key}={_text(value)}" for key, value in given.items() if value != usual[key]]
        return f"{self.name}:{','.join(changed)}" if changed else self.name

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types only; ``make_protocol(d["name"], d["settings"])`` makes it again."""
        return {
            "name": self.name,
            "description": self.description,
            "kind": self.kind,
            "refit": self.refit,
            "settings": self.settings.to_dict(),
        }

    def split(self, dataset: Dataset, seed: int) -> Split:
        """Divide a data set. Equal data, settings and seed give equal parts, in any process.

        Args:
            dataset: what is divided.
            seed: at least 0.

        Raises:
            ConfigError: if the settings do not suit the data set.
            DataError: if it lacks what the protocol needs, or nothing is left to train on or to ask.
        """
        parts = PROTOCOLS[self.name].draw(dataset, self.settings, seed)
        if not parts.test.size:
            raise DataError(
                f"{self.label} leaves nothing of {dataset.name} to ask",
                remedy="hold out more, or lower min_rating and min_user_ratings",
            )
        return build_split(
            dataset,
            (parts.train, parts.validation, parts.test),
            name=self.label,
            seed=seed,
            support=parts.support,
            levels=self.settings.levels,
            level_method=self.settings.level_method,
        )


def make_protocol(name: str, settings: Mapping[str, Any] | None = None) -> Protocol:
    """A protocol by name.

    Args:
        name: one of `PROTOCOLS`; hyphens and any case are accepted. Settings may follow a colon, as in
            ``random_80_20:min_rating=3,refit=false``.
        settings: those that differ from the defaults; they go before those in the name.

    Raises:
        ConfigError: on an unknown name, an unknown setting, or a value that is not allowed.
    """
    head, _, tail = name.partition(":")
    key = head.strip().lower().replace("-", "_")
    if key not in PROTOCOLS:
        near = difflib.get_close_matches(key, PROTOCOLS, n=3)
        raise ConfigError(
            "unknown protocol",
            got=name,
            allowed=", ".join(PROTOCOLS),
            remedy=f"did you mean {' or '.join(near)}?" if near else None,
        )
    given = parse_settings(tail, name, "a protocol") | dict(settings or {})
    return Protocol(key, PROTOCOLS[key].settings.from_dict(given))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
