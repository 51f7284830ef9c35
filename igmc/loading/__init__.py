"""From subgraphs to batches of tensors."""

from igmc.loading.batch import Batch, Structure
from igmc.loading.loader import Loader, SideFeatures
from igmc.loading.source import LiveSource, StoreSource, SubgraphSource
from igmc.loading.support_dropout import SupportDropout

__all__ = [
    "Batch",
    "LiveSource",
    "Loader",
    "SideFeatures",
    "StoreSource",
    "Structure",
    "SubgraphSource",
    "SupportDropout",
]
