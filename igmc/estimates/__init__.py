"""Estimates of ratings in closed form given draws: Bayesian matrix factorization, with new rows folded in."""

from igmc.estimates.factor_estimates import FactorEstimates
from igmc.estimates.sampler import Draw, Sampler

__all__ = ["Draw", "FactorEstimates", "Sampler"]
