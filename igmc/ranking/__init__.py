"""The ranker: closed-form scores of items, weighed by a small network that knows no user and no item.

`closed_forms` scores all items for any rows of ratings, those of newcomers too; `folds` hides ratings, so
that the scores a network learns from have not seen what is asked; `network` makes one score of them; `ranker`
is all of it, fitted.
"""

from igmc.ranking.closed_forms import Rows
from igmc.ranking.fitting import fit_ranker
from igmc.ranking.ranker import Ranker
from igmc.ranking.rating_matrix import rating_matrix

__all__ = ["Ranker", "Rows", "fit_ranker", "rating_matrix"]
