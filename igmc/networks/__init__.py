"""The networks as runs train them, each behind the same call."""

from igmc.networks.job import Job, Trained
from igmc.networks.registry import train_network

__all__ = ["Job", "Trained", "train_network"]
