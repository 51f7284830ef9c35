"""What a rating counts for where lists are measured."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from igmc.evaluation.metrics import MAX_RATING
from igmc.ratings import RatingScale

__all__ = ["gains"]


def gains(scale: RatingScale, rating: NDArray[Any]) -> NDArray[np.float32]:
    """Ratings to make gains of, on the scale; or levels from 1 where 2^r - 1 is not above 0, or huge."""
    if scale.low > 0 and scale.high <= MAX_RATING:
        return scale.clip(rating).astype(np.float32)
    return (np.searchsorted(scale.edges, rating, side="right") + 1).astype(np.float32)
