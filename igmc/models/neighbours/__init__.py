"""The neighbours network: a learned neighbourhood method on closed-form statistics."""

from igmc.models.neighbours.ensemble import NeighboursEnsemble

__all__ = ["NeighboursEnsemble"]
