"""The synthetic data set `demo`, generated from a seed."""

from igmc.ratings.demo.dataset import make_demo, make_ratings

__all__ = ["make_demo", "make_ratings"]
