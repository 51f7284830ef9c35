"""The networks; nothing here reads a file."""

from igmc.models.igmc import IGMC

__all__ = ["IGMC"]
