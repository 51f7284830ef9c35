"""Nearest neighbours, of items or of users."""

from igmc.recommenders.knn.model import ItemKNN, UserKNN

__all__ = ["ItemKNN", "UserKNN"]
