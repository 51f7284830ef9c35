"""The rating graph and enclosing subgraphs: arrays in, arrays out, no I/O."""

from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.kernel import extract_subgraphs
from igmc.graph.parts import Part, make_parts
from igmc.graph.reference import reference_subgraphs
from igmc.graph.serving import Rows, ServingGraph
from igmc.graph.splice import RowSplice
from igmc.graph.subgraph import Subgraphs
from igmc.graph.times import RatingTimes

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
