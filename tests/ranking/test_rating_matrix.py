import numpy as np

from igmc.config import DataConfig
from igmc.ranking import rating_matrix
from igmc.ratings import Dataset, make_split


def test_levels_stand_for_the_ratings_of_the_named_rows():
    frame = {"user": ["a", "a", "b"], "item": [2, 1, 2], "rating": [1.0, 5.0, 4.0]}
    split = make_split(Dataset.from_frame(frame), DataConfig(test_ratio=0.0, levels=2), 1)
    table, found = split.table, rating_matrix(split, np.array([0, 1], np.int64))
    low, high = split.scale.values
    assert found.shape == (2, 2)
    assert found.dtype == np.float32
    assert found[table.user[0], table.item[0]] == low
    assert found[table.user[1], table.item[1]] == high
    assert found.nnz == 2, "the third rating was not asked for"
    assert found.has_sorted_indices
