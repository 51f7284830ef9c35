"""The networks; nothing here reads a file."""

from igmc.models.igmc import IGMC
from igmc.models.neighbours import NeighboursEnsemble

__all__ = ["IGMC", "NeighboursEnsemble"]
