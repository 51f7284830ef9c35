"""Rankings by item-item weights: a user's scores are the sum of the rows of the items rated."""

from igmc.recommenders.linear.ease import EASE
from igmc.recommenders.linear.rp3beta import RP3Beta
from igmc.recommenders.linear.slim import SLIM

__all__ = ["EASE", "SLIM", "RP3Beta"]
