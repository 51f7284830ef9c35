"""Use of trained runs: predictions, lists of items, and explanations."""

from igmc.inference.checkpoints import first_weights, open_run
from igmc.inference.id_encoding import ExtendedIds, from_text, near_ids
from igmc.inference.input_files import (
    names_users,
    read_item_ids,
    read_items,
    read_own_ratings,
    read_pairs,
    read_pairs_file,
    with_ratings_file,
)
from igmc.inference.item_info import ITEMS_FILE, ItemInfo
from igmc.inference.mean_fallback import damped_means, has_neighbourhood
from igmc.inference.new_items import with_items_file
from igmc.inference.pair_batches import predict_batches, predict_to_file
from igmc.inference.predictions import Predictions
from igmc.inference.predictor import Predictor, predict
from igmc.inference.rating_encoding import encode_ratings, nearest_ratings, own_ratings
from igmc.inference.requested_user import requested_user
from igmc.inference.run_predictions import RunPredictions
from igmc.inference.titles import natural_title

__all__ = [
    "ITEMS_FILE",
    "ExtendedIds",
    "ItemInfo",
    "Predictions",
    "Predictor",
    "RunPredictions",
    "damped_means",
    "encode_ratings",
    "first_weights",
    "from_text",
    "has_neighbourhood",
    "names_users",
    "natural_title",
    "near_ids",
    "nearest_ratings",
    "open_run",
    "own_ratings",
    "predict",
    "predict_batches",
    "predict_to_file",
    "read_item_ids",
    "read_items",
    "read_own_ratings",
    "read_pairs",
    "read_pairs_file",
    "requested_user",
    "with_items_file",
    "with_ratings_file",
]
