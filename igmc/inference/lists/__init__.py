"""Lists of items for a user: candidates by co-rating, then the model."""

from igmc.inference.lists.candidates import candidate_order
from igmc.inference.lists.recommend import Recommendations, list_items, recommend
from igmc.inference.lists.recommend_all import recommend_all
from igmc.inference.lists.request import ListRequest

__all__ = ["ListRequest", "Recommendations", "candidate_order", "list_items", "recommend", "recommend_all"]
