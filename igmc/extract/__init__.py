"""The multiprocess extractor, which writes subgraphs to a store."""

from igmc.extract.pool import extract_store
from igmc.extract.size import projected_bytes

__all__ = ["extract_store", "projected_bytes"]
