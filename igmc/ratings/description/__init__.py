"""What is in a data set, what is missing and what is odd: measured, and told as text."""

from igmc.ratings.description.measure import describe
from igmc.ratings.description.report import Bin, Genre

__all__ = ["Bin", "Genre", "describe"]
