"""Description of a data set: sizes, missing values, outliers and distributions, as numbers and text."""

from igmc.ratings.description.measure import describe
from igmc.ratings.description.report import Bin, Genre
from igmc.ratings.description.tables import per_item, per_user

__all__ = ["Bin", "Genre", "describe", "per_item", "per_user"]
