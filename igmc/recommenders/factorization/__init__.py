"""Matrix factorization: Bayesian for ratings, BPR for rankings."""

from igmc.recommenders.factorization.mf import MF
from igmc.recommenders.factorization.svdpp import SVDpp

__all__ = ["MF", "SVDpp"]
