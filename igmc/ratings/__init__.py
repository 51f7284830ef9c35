"""Ratings: raw files -> checked `RatingTable` -> `Split`."""

from igmc.ratings.any_table import Frame, as_pandas
from igmc.ratings.checks import check_lengths, check_range, dense_indices
from igmc.ratings.convert import to_hetero, to_networkx, to_pyg, write_graph
from igmc.ratings.dataset import Dataset
from igmc.ratings.frame_info import frame_info, id_column
from igmc.ratings.ids import IdTable, ObjectIds, RawId, id_list, id_pairs
from igmc.ratings.load import DataLike, data_config, load_dataset, run_inputs
from igmc.ratings.scale import RatingScale
from igmc.ratings.side_features import info_features, side_features
from igmc.ratings.side_information import RowFeatures, SideEncoder, SideInformation, side_information
from igmc.ratings.split import Split, build_split, divided, make_split
from igmc.ratings.table import UNKNOWN_TIME, Pairs, RatingTable, pair_keys
from igmc.ratings.times import date_seconds

__all__ = [
    "UNKNOWN_TIME",
    "DataLike",
    "Dataset",
    "Frame",
    "IdTable",
    "ObjectIds",
    "Pairs",
    "RatingScale",
    "RatingTable",
    "RawId",
    "RowFeatures",
    "SideEncoder",
    "SideInformation",
    "Split",
    "as_pandas",
    "build_split",
    "check_lengths",
    "check_range",
    "data_config",
    "date_seconds",
    "dense_indices",
    "divided",
    "frame_info",
    "id_column",
    "id_list",
    "id_pairs",
    "info_features",
    "load_dataset",
    "make_split",
    "pair_keys",
    "run_inputs",
    "side_features",
    "side_information",
    "to_hetero",
    "to_networkx",
    "to_pyg",
    "write_graph",
]
