"""Matrix factorization: Bayesian for ratings, BPR for rankings."""

from igmc.recommenders.factorization.mf import MF, MFConfig
from igmc.recommenders.factorization.svdpp import SVDpp, SVDppConfig

__all__ = ["MF", "MFConfig", "SVDpp", "SVDppConfig"]
