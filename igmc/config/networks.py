"""The networks by name: what the settings and the command line need to know of each, without loading it."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FIRST_NETWORK", "NETWORKS", "Registration"]


class Registration(NamedTuple):
    """One network.

    Attributes:
        module: holds its `igmc.networks.Network` under the name ``NETWORK``; loaded when it is needed.
        about: what it is, in a few words.
        title: its name in tables.
        sections: the fields of `RunConfig` that are its settings. Networks may share a field.
        training: the section that says how checkpoints are selected, with ``selection`` and ``epochs``.
        averages: whether the predictions of several checkpoints are averaged.
        continuous: whether it reads ratings of a continuous scale as they are, without a weight for each.
        reads_statistics: whether it reads `igmc.statistics`, whose memory can be bounded.
        rates: whether it predicts ratings; if not, it only orders items.
    """

    module: str
    about: str
    title: str
    sections: tuple[str, ...]
    training: str
    averages: bool = False
    continuous: bool = False
    reads_statistics: bool = False
    rates: bool = True


NETWORKS: dict[str, Registration] = {
    "rgcn": Registration(
        "igmc.networks.rgcn",
        about="the network of the paper",
        title="IGMC",
        sections=("extract", "model", "train", "live"),
        training="train",
        averages=True,
    ),
    "neighbours": Registration(
        "igmc.networks.neighbours",
        about="a learned neighbourhood method on closed-form statistics",
        title="neighbours",
        sections=("neighbours",),
        training="neighbours",
        continuous=True,
        reads_statistics=True,
    ),
    "ranker": Registration(
        "igmc.networks.ranker",
        about="lists instead of ratings, for clicks and purchases",
        title="ranker",
        sections=("ranker",),
        training="ranker",
        continuous=True,
        rates=False,
    ),
}

# Settings, reports and folders of runs that name no network are of this one: it was alone once.
FIRST_NETWORK = "rgcn"
