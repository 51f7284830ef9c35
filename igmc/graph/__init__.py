"""The rating graph and enclosing subgraphs: arrays in, arrays out, no I/O."""

from igmc.argument_types import checked_types
from igmc.graph import kernel
from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.parts import Part, make_parts
from igmc.graph.reference import reference_subgraphs
from igmc.graph.serving import Rows, ServingGraph
from igmc.graph.splice import RowSplice
from igmc.graph.subgraph import Subgraphs
from igmc.graph.times import RatingTimes

# Not in the module itself, since all sources of kernels decide on their compiled code.
extract_subgraphs = checked_types(kernel.extract_subgraphs)

__all__ = [
    "BipartiteGraph",
    "Part",
    "RatingTimes",
    "RowSplice",
    "Rows",
    "ServingGraph",
    "Subgraphs",
    "extract_subgraphs",
    "make_parts",
    "reference_subgraphs",
]
