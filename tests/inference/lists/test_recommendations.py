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


def test_plain_columns_are_those_of_the_frame():
    source = np.array(["model", "item mean"])
    full = Recommendations(ITEM, SCORE, SCORE - 3, source, "", 9, 2, SCORE - 1, SCORE + 1, SCORE / 2)
    bare = Recommendations(ITEM, None, None, None, "only 2", 9, 2, relevance=SCORE)
    for found in (
        full,
        bare,
        full._replace(item=ITEM[:0], score=SCORE[:0], lift=SCORE[:0], source=source[:0]),
    ):
        if not len(found.item):
            found = found._replace(low=None, high=None, relevance=None)
        frame, columns = found.frame(PREDICTOR, 7), found.columns(PREDICTOR, 7)
        assert list(columns) == list(frame)
        plain = frame.astype(object).where(frame.notna(), None)
        assert columns == {name: plain[name].tolist() for name in plain}
        kinds = {type(value) for column in columns.values() for value in column}
        assert kinds <= {int, float, str, type(None)}, "nothing of NumPy, which JSON could not hold"
