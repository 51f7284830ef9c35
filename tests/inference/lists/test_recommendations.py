import numpy as np

from igmc.inference.lists.recommendations import Recommendations
from tests.inference.small import GRAPH, make_scorer, predictor_of

PREDICTOR = predictor_of(GRAPH, make_scorer())
ITEM, SCORE = np.array([3, 1], np.int32), np.array([4.5, 4.0], np.float32)


def test_a_list_has_the_columns_of_what_is_known():
    source = np.array(["model", "item mean"])
    full = Recommendations(ITEM, SCORE, SCORE - 3, source, "", 9, 2, SCORE - 1, SCORE + 1, SCORE / 2)
    frame = full.frame(PREDICTOR, 7)
    assert list(frame) == [
        *("user_id", "item_id", "score", "lift", "rank", "title", "genres", "year"),
        *("relevance", "source", "low", "high"),
    ]
    assert frame["user_id"].tolist() == [7, 7]
    assert frame["title"].tolist() == ["film 3", "film 1"]


def test_a_list_without_predictions_has_no_column_of_them():
    frame = Recommendations(ITEM, None, None, None, "only 2", 9, 2, relevance=SCORE).frame(PREDICTOR, None)
    assert list(frame) == ["user_id", "item_id", "rank", "title", "genres", "year", "relevance"]
    assert frame["rank"].tolist() == [1, 2]
    assert frame.attrs["reason"] == "only 2"
