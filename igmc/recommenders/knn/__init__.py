"""Nearest neighbours, of items or of users."""

from igmc.recommenders.knn.item_knn import ItemKNN
from igmc.recommenders.knn.knn_recommender import KNNConfig
from igmc.recommenders.knn.user_knn import UserKNN

__all__ = ["ItemKNN", "KNNConfig", "UserKNN"]
