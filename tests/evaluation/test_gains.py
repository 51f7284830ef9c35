"""What ratings count for in lists."""

import numpy as np
import pytest

from igmc.evaluation.gains import gains
from igmc.ratings.scale import RatingScale


@pytest.mark.parametrize(
    ("levels", "ratings", "wanted"),
    [
        ([1.0, 2.5, 5.0], [1.0, 2.5, 5.0, 7.0], [1.0, 2.5, 5.0, 5.0]),
        ([0.0, 1.0], [0.0, 1.0], [1.0, 2.0]),  # 2^0 - 1 is no gain
        ([1.0, 5000.0], [1.0, 5000.0], [1.0, 2.0]),  # nor is 2^5000 a number
    ],
)
def test_ratings_where_they_can_be_gains_else_levels(levels, ratings, wanted):
    found = gains(RatingScale.fit(levels), np.array(ratings))
    assert found.dtype == np.float32
    assert found.tolist() == wanted
