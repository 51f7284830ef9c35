"""Matrix factorization: Bayesian for ratings, BPR and alternating least squares for rankings."""

from igmc.recommenders.factorization.ials import IALS, IALSConfig
from igmc.recommenders.factorization.mf import MF, MFConfig
from igmc.recommenders.factorization.svdpp import SVDpp, SVDppConfig

__all__ = ["IALS", "MF", "IALSConfig", "MFConfig", "SVDpp", "SVDppConfig"]
