"""Similar items, by the users who rated both.

For items i and j, over the n users v who rated both, with d_vi the rating less the mean of all that v rated:

    similarity = sum_v d_vi d_vj / sqrt(sum_v d_vi^2  sum_v d_vj^2) * n / (n + DAMPING)

This is the adjusted cosine (Sarwar et al., WWW 2001), damped for few common users. Where all ratings are
equal, as of clicks, it is the cosine of who chose what, ``n / sqrt(n_i n_j)``, damped likewise. No model is
used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from igmc.errors import ConfigError
from igmc.inference.base import BasePredictor
from igmc.inference.mean_fallback import DAMPING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["similar_items"]


def similar_items(predictor: BasePredictor, item: int, k: int) -> pd.DataFrame:
    """See `igmc.inference.predictor.Predictor.similar_items`; the item is a dense index."""
    import pandas as pd

    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ConfigError("the length of a list is out of range", got=k, allowed="at least 1")
    graph, values = predictor.graph, predictor.scale.values
    both, product, own, other = np.zeros((4, graph.n_items))
    for user in graph.by_item.row(item)[0].tolist():
        items, levels = graph.by_user.row(user)
        deviation = values[levels] - values[levels].mean()
        mine = deviation[items == item]
        both[items] += 1
        product[items] += mine * deviation
        own[items] += mine**2
        other[items] += deviation**2
    both[item] = 0
    norm = np.sqrt(own * other)
    if len(values) == 1:
        counts = graph.by_item.degrees(np.arange(graph.n_items, dtype=np.int32)).astype(np.float64)
        product, norm = both, np.sqrt(counts * counts[item])
    cosine = np.divide(product, norm, out=np.zeros_like(norm), where=norm > 0)
    similarity = cosine * both / (both + DAMPING)
    shared = np.flatnonzero(both)
    best = shared[np.lexsort((shared, -both[shared], -similarity[shared]))][:k]
    frame = pd.DataFrame(
        {
            "item_id": pd.Series(predictor.items.decode(best), dtype=object),
            "similarity": similarity[best],
            "raters": both[best].astype(np.int64),
            "rank": np.arange(1, len(best) + 1),
        }
    )
    return frame if predictor.info is None else predictor.info.beside(frame, best)
