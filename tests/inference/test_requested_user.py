"""Whom a list or an explanation is for: known users and newcomers with ratings of known items."""

import pytest

from igmc.errors import DataError
from igmc.inference.requested_user import requested_user


@pytest.mark.parametrize(
    ("user_id", "ratings"),
    [
        (7, None),
        (7, {"f001": 5}),
        ("newcomer", {"f001": 5}),
        (None, {"f001": 5}),
        ("newcomer", {}),
        (None, {}),
    ],
)
def test_it_is_the_view_of_the_predictor(predictor, user_id, ratings):
    view, expected = requested_user(predictor, user_id, ratings), predictor.with_user(ratings or {}, user_id)
    assert view.user == expected.user == (6 if user_id == 7 else 300)
    assert view.rated.tolist() == expected.rated.tolist()
    assert view.graph.rebuilt().digest() == expected.graph.rebuilt().digest()


@pytest.mark.parametrize(
    ("user_id", "ratings", "message"),
    [
        (
            301,
            None,
            r"this user is unknown; got 301; hint: ids are 1\.\.300; or give the ratings",
        ),
        ("3", None, r"this user is unknown; got '3'; .*did you mean 3 \(a number\)\?"),
        (None, {"f01": 5}, "the run does not know a rated item; got 'f01'; .*or omit this rating"),
        (7, {"f001": 5, 12: 3}, "the run does not know a rated item; got 12"),
        (None, {"f001": 9}, "a rating is not on the scale; got 9"),
    ],
)
def test_who_or_what_the_run_does_not_know_is_refused(predictor, user_id, ratings, message):
    with pytest.raises(DataError, match=message):
        requested_user(predictor, user_id, ratings)
