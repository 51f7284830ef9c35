"""The rating that an item of a list is there for: the liked one without which it falls most."""

import numpy as np
import pytest

from igmc.inference.lists.because import reasons
from igmc.inference.lists.recommend import recommend
from tests.inference.lists.demo import INFO, MINE

LIKED = {"f001", "f003", "f017"}  # what is not below the mean of MINE


def test_the_reason_is_the_liked_rating_without_which_the_prediction_falls_most(predictor):
    items = np.arange(20, 32, dtype=np.int32)
    found = reasons(predictor, items, ratings=MINE)
    named = 0
    for item, reason in zip(items.tolist(), found, strict=True):
        raw = predictor.items.ids[item]
        whole = predictor.score_user(MINE, [raw], clip=False).score[0]
        falls = {}
        for liked in LIKED:
            less = {rated: value for rated, value in MINE.items() if rated != liked}
            falls[liked] = whole - predictor.score_user(less, [raw], clip=False).score[0]
        best = max(falls, key=falls.get)
        assert (reason is None) == (falls[best] <= 0)
        if reason is not None:
            assert predictor.items.ids[reason.item] == best
            assert reason.importance == pytest.approx(falls[best], abs=1e-5)
            assert reason.rating == MINE[best]
            named += 1
    assert named


def test_who_rated_nothing_has_no_reasons(predictor):
    assert reasons(predictor, np.array([3, 4], np.int32), ratings={}) == [None, None]


def test_a_list_tells_them_in_columns_if_that_is_asked(predictor):
    plain, found = recommend(predictor, ratings=MINE), recommend(predictor, ratings=MINE, because=True)
    assert found[list(plain)].equals(plain)
    told = found[found.because.notna()]
    assert len(told)
    assert set(told.because) <= LIKED
    assert told.because_rating.tolist() == [MINE[item] for item in told.because]
    assert told.because_title.tolist() == [INFO.title[item].rpartition(" (")[0] for item in told.because]
    assert set(found.because_title[found.because.isna()]) <= {""}
