"""Closed-form statistics of a rating graph, and what they say of a pair's neighbours."""

from igmc.statistics.dates import DATE_WIDTH, RatingDates
from igmc.statistics.graph_statistics import DAMPING, GraphStatistics
from igmc.statistics.inputs import (
    PAIR_WIDTH,
    ROW_WIDTH,
    InputNorms,
    NeighbourRows,
    SideNeighbours,
    clip_inputs,
)
from igmc.statistics.item_sums import ItemSums
from igmc.statistics.neighbours import read_for_user, read_neighbours
from igmc.statistics.reference import reference_pair
from igmc.statistics.serving import with_patches, with_user

__all__ = [
    "DAMPING",
    "DATE_WIDTH",
    "PAIR_WIDTH",
    "ROW_WIDTH",
    "GraphStatistics",
    "InputNorms",
    "ItemSums",
    "NeighbourRows",
    "RatingDates",
    "SideNeighbours",
    "clip_inputs",
    "read_for_user",
    "read_neighbours",
    "reference_pair",
    "with_patches",
    "with_user",
]
