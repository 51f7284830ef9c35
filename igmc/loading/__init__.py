"""From subgraphs, or neighbours, to batches of tensors."""

from igmc.loading.batch import Batch, Structure
from igmc.loading.folds import KnownRatings
from igmc.loading.loader import Loader, SideFeatures
from igmc.loading.neighbour_batch import NeighbourBatch
from igmc.loading.neighbour_loader import MEMORY, NeighbourLoader, Probe, input_norms, read_in_pieces
from igmc.loading.source import LiveSource, StoreSource, SubgraphSource
from igmc.loading.support_dropout import SupportDropout

__all__ = [
    "MEMORY",
    "Batch",
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
    "input_norms",
    "read_in_pieces",
]
