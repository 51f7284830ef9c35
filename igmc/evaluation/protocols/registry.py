"""Evaluation protocols by name. A new one needs a line here, and nothing else outside its own module."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from igmc.errors import ConfigError
from igmc.evaluation.inline_settings import parse_settings
from igmc.evaluation.protocols import inductive, published, transductive
from igmc.evaluation.protocols.base import Protocol

__all__ = ["PROTOCOLS", "make_protocol"]

PROTOCOLS: dict[str, type[Protocol]] = {
    protocol.name: protocol
    for protocol in (
        transductive.Official,
        transductive.RandomEdges,
        transductive.Stratified,
        transductive.ThreeShares,
        transductive.LeaveLastOut,
        transductive.GlobalTime,
        transductive.Thinned,
        inductive.UnseenUsers,
        inductive.UnseenItems,
        inductive.UnseenBoth,
        published.Idcf,
        published.Hire,
    )
}


def make_protocol(name: Protocol | str, settings: Mapping[str, Any] | None = None) -> Protocol:
    """A protocol by name; one that is made already is returned.

    Args:
        name: one of `PROTOCOLS`; hyphens and any case are accepted. Settings may follow a colon, as in
            ``random_80_20:min_rating=3,refit=false``.
        settings: those that differ from the defaults; they go before those in the name.

    Raises:
        ConfigError: on an unknown name, an unknown setting, or a value that is not allowed.
    """
    if isinstance(name, Protocol):
        return name
    if not isinstance(name, str):
        raise ConfigError("this is not a protocol", got=name, allowed="a name, or what make_protocol made")
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
    return PROTOCOLS[key].from_dict(given)
