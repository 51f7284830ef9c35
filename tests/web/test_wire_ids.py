"""Ids that JavaScript cannot hold, from a run to a client and back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.config import ServeConfig
from igmc.errors import DataError
from igmc.live import Draft, LiveRatings
from igmc.ratings import IdTable
from igmc.web import live_schemas
from igmc.web.ledger import Ledger
from igmc.web.service import Service
from igmc.web.wire_ids import EXACT, LARGEST, received, sendable, sent
from tests.inference.small import GRAPH, make_scorer, predictor_of

FAR = 2**60 + 1


def far(predictor):
    """The same run with ids around 2^60, a part of them below and a part of them above 2^53."""
    users = IdTable(tuple(raw + (FAR if k else 0) for k, raw in enumerate(predictor.users.ids)))
    items = IdTable(tuple(raw + (FAR if k else 0) for k, raw in enumerate(predictor.items.ids)))
    return replace(predictor, users=users, items=items)


@pytest.fixture
def small():
    return far(predictor_of(GRAPH, make_scorer()))


@given(st.integers(-LARGEST, LARGEST))
def test_a_number_comes_back_as_it_was_sent(number):
    table = IdTable((1, number) if number != 1 else (1,))
    there = sent(number)
    assert isinstance(there, str) == (abs(number) > EXACT)
    assert received(table, there) == number


@pytest.mark.parametrize("text", ["12", "x", "", f"0{2**60}", f"+{2**60}", f"{2**60} ", "٣" * 20, "9" * 300])
def test_other_texts_stay_texts(text):
    assert received(IdTable((1, 2)), text) == text


def test_a_text_that_is_an_id_itself_is_that_id():
    text = str(2**60)
    assert received(IdTable((text, "b")), text) == text
    assert received(IdTable((1, text)), text) == text
    assert received(IdTable((1, 2**60)), text) == 2**60


def test_what_cannot_be_sent_is_refused(small):
    assert [sendable(raw) for raw in (LARGEST, -LARGEST, "x" * 256)] == [True] * 3
    assert [sendable(raw) for raw in (LARGEST + 1, "x" * 257, True, 1.5)] == [False] * 4
    ids = (*small.items.ids[:-1], 2**63)
    with pytest.raises(DataError, match="cannot send this item id; got 9223372036854775808"):
        Service(replace(small, items=IdTable(ids)), ServeConfig())


def test_every_answer_names_large_ids_as_texts_and_takes_them(small, make_client):
    client = make_client(service=lambda _, limits: Service(small, limits))
    user, item = str(small.users.ids[-1]), str(small.items.ids[-1])
    found = client.get("/api/items").json()["items"]
    assert {one["item_id"] for one in found} == {sent(raw) for raw in small.items.ids}
    assert client.get("/api/users", params={"q": user}).json()["users"][0]["user_id"] == user
    named = client.post("/api/items/named", json={"item_ids": [item]}).json()["items"]
    assert [one["item_id"] for one in named] == [item]
    assert client.post("/api/similar", json={"item_id": item}).json()["item"]["item_id"] == item
    asked = {"user_id": user, "ratings": [{"item_id": item, "rating": 3}]}
    listed = client.post("/api/recommendations", json=asked | {"exclude": [sent(small.items.ids[-2])]}).json()
    assert {one["item_id"] for one in listed["items"]} <= {sent(raw) for raw in small.items.ids[:-2]}
    scores = client.post("/api/scores", json=asked | {"item_ids": [item]}).json()["scores"]
    assert scores[0]["item_id"] == item
    why = client.post("/api/explanations", json={"user_id": user, "item_id": item}).json()
    assert why["item"]["item_id"] == item
    twice = [{"item_id": item, "rating": 3}] * 2
    assert client.post("/api/recommendations", json={"ratings": twice}).status_code == 422
    as_number = client.post("/api/similar", json={"item_id": small.items.ids[-1]})
    assert as_number.status_code == 422  # a client in JavaScript would have rounded it


def test_what_is_stored_has_the_number(small, tmp_path):
    user, item = small.users.ids[-1], small.items.ids[-1]
    rating = live_schemas.StoredRating(item_id=str(item), rating=3.0, time=5)
    with LiveRatings(small, str(tmp_path / "a.db")) as live:
        ledger = Ledger(live, ServeConfig())
        assert ledger.user(str(user)) == user
        drafts = ledger.rate(user, live_schemas.UserRatings(ratings=[rating]))
        assert drafts == (Draft("rate", user, item, 3.0, 5),)
        live.write(ledger.change(drafts, None, None)).result(10)
        appended = live_schemas.Appended(user_id=str(FAR + 77), item_id=str(FAR + 78), rating=3.0, time=5)
        new = live_schemas.NewItem(item_id=str(FAR + 78), title="new")
        told = ledger.append(live_schemas.StoredRatings(ratings=[appended], items=[new]))
        assert [(one.user, one.item) for one in told] == [(None, FAR + 78), (FAR + 77, FAR + 78)]
        beyond = live_schemas.Appended(user_id=str(2**63), item_id=str(item), rating=3.0)
        with pytest.raises(DataError, match="an id is too large"):
            ledger.append(live_schemas.StoredRatings(ratings=[beyond]))
        assert live.caught_up(10)
        assert live.predictor.graph.by_user.degrees(live.predictor.users.encode([user]))[0] > 0
