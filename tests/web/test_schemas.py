"""What a body may hold: nothing is converted, and what no answer could say is refused."""

import pytest
from pydantic import ValidationError

from igmc.web import schemas
from igmc.web.wire_ids import EXACT

MOST = EXACT


def rated(item_id=1, rating=5) -> str:
    return schemas.ListRequest(ratings=[{"item_id": item_id, "rating": rating}]).model_dump_json()


@pytest.mark.parametrize("item_id", [7, "7", "", -MOST, MOST, "é" * schemas.LONGEST])
def test_whole_numbers_and_texts_stay_what_they_are(item_id):
    (rating,) = schemas.ListRequest.model_validate_json(rated(item_id)).ratings
    assert (rating.item_id, type(rating.item_id)) == (item_id, type(item_id))


@pytest.mark.parametrize(
    "item_id", [True, 1.0, None, MOST + 1, -MOST - 1, "x" * (schemas.LONGEST + 1), [1], {"id": 1}]
)
def test_other_ids_are_refused(item_id):
    with pytest.raises(ValidationError, match="item_id"):
        rated(item_id)


@pytest.mark.parametrize("rating", [True, "5", None, float("nan"), float("inf")])
def test_a_rating_is_a_finite_number(rating):
    with pytest.raises(ValidationError, match="rating"):
        rated(rating=rating)
    assert schemas.Rating(item_id=1, rating=4).rating == 4.0


@pytest.mark.parametrize(
    "given",
    [
        *({"k": k} for k in (0, schemas.MOST + 1, "10", 1.0)),
        *({"genres": genres} for genres in ("Drama", [""], ["x" * 101], ["Drama"] * 51)),
        *({"year_from": year} for year in (-1, 10_000, "1999")),
        *({"min_score": score} for score in (float("nan"), "3")),
        *({"bottom": 1}, {"colour": "red"}),
    ],
)
def test_a_request_for_a_list_is_taken_as_it_stands_or_not_at_all(given):
    with pytest.raises(ValidationError, match=next(iter(given))):
        schemas.ListRequest(**given)


def test_what_is_left_out_of_a_request_for_a_list():
    asked = schemas.ListRequest()
    assert (asked.user_id, asked.ratings, asked.k, asked.genres, asked.bottom) == (None, None, 10, [], False)
    assert asked.genres is not schemas.ListRequest().genres


def test_an_explanation_needs_an_item():
    with pytest.raises(ValidationError, match="item_id"):
        schemas.ExplanationRequest(user_id=1)
