"""Batches of tensors from subgraphs or neighbours."""

from igmc.loading.batch import Batch, Structure
from igmc.loading.cross_fitting import CrossFit
from igmc.loading.folds import KnownRatings
from igmc.loading.knowledge import ESTIMATORS, Knowledge, estimate, of_statistics, pair_width
from igmc.loading.loader import Loader, SideFeatures
from igmc.loading.neighbour_batch import NeighbourBatch
from igmc.loading.neighbour_loader import MEMORY, NeighbourLoader, Probe
from igmc.loading.source import LiveSource, StoreSource, SubgraphSource
from igmc.loading.support_dropout import SupportDropout

__all__ = [
    "ESTIMATORS",
    "MEMORY",
    "Batch",
    "CrossFit",
    "Knowledge",
    "KnownRatings",
    "LiveSource",
    "Loader",
    "NeighbourBatch",
    "NeighbourLoader",
    "Probe",
    "SideFeatures",
    "StoreSource",
    "Structure",
    "SubgraphSource",
    "SupportDropout",
    "estimate",
    "of_statistics",
    "pair_width",
]
