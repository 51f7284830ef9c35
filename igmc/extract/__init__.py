"""The multiprocess extractor: subgraphs into a store."""

from igmc.extract.pool import extract_store
from igmc.extract.size import projected_bytes

__all__ = ["extract_store", "projected_bytes"]
