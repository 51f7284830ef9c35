"""What was kept of features is what was written."""

import numpy as np
import pandas as pd
import pytest

from igmc.errors import CheckpointError
from igmc.networks.neighbours.side_file import SIDE_FILE, load_side, save_side
from igmc.ratings import SideEncoder, side_information
from igmc.training import RunFolder

ITEMS = pd.DataFrame(
    {
        "title": ["Alien", "Aliens", "Alien 3", "Up"],
        "year": pd.array([1979, 1986, 1992, None], "Int64"),
        "genres": ["Horror|Sci-Fi", "Sci-Fi", "Horror|Sci-Fi", ""],
    }
)


def test_features_and_what_makes_others_like_them_come_back(tmp_path):
    folder, vectors = RunFolder(tmp_path), np.eye(4, 3, dtype=np.float32)
    side = side_information(None, ITEMS, 5, 4, item_vectors=vectors)
    save_side(folder, side)
    found = load_side(folder)
    for one, other in zip(found, side, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
        np.testing.assert_array_equal(one.block, other.block)
    again = SideEncoder(found.items.made_of).encode(ITEMS, 4, vectors)
    np.testing.assert_array_equal(again.values, side.items.values)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=SIDE_FILE):
        load_side(RunFolder(tmp_path))
