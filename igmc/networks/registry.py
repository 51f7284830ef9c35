"""The networks by name. A new one is a module with `train`, a scorer in `igmc.inference`, and a line here."""

from __future__ import annotations

from importlib import import_module

from igmc.networks.job import Job, Trained

__all__ = ["NETWORKS", "train_network"]

NETWORKS = {"rgcn": "igmc.networks.rgcn", "neighbours": "igmc.networks.neighbours"}


def train_network(job: Job) -> Trained:
    """Train the network that the run's settings name, and ask it about the test pairs.

    Raises:
        IgmcError: if the settings do not suit each other, or the training fails.
    """
    trained: Trained = import_module(NETWORKS[job.config.network]).train(job)
    return trained
