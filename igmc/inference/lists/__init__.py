"""Lists of items for a user: candidates by co-rating, then the model."""

from igmc.inference.lists.because import Reason, reasons, with_reasons
from igmc.inference.lists.candidates import candidate_order
from igmc.inference.lists.list_parts import recommend_parts
from igmc.inference.lists.orders import ORDERS, usual_ratings
from igmc.inference.lists.recommend import list_items, recommend
from igmc.inference.lists.recommend_all import recommend_all
from igmc.inference.lists.recommendations import Recommendations
from igmc.inference.lists.request import ListRequest

__all__ = [
    "ORDERS",
    "ListRequest",
    "Reason",
    "Recommendations",
    "candidate_order",
    "list_items",
    "reasons",
    "recommend",
    "recommend_all",
    "recommend_parts",
    "usual_ratings",
    "with_reasons",
]
