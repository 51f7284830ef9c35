"""What is stored over HTTP: it lasts, it counts for others, and it is refused with a reason."""

import sqlite3
import time
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from igmc.config import ServeConfig
from igmc.live import LiveRatings, RatingLog
from igmc.ratings import IdTable
from igmc.web.app import make_app
from igmc.web.experiment import Experiment
from igmc.web.service import Service
from tests.inference.small import GRAPH, make_scorer, predictor_of

LIMITS = ServeConfig(max_ratings=50, timeout=300)  # kernels may be compiled first


@pytest.fixture(scope="module")
def small():
    """Its users are u0..u19, its items 0..14."""
    found = predictor_of(GRAPH, make_scorer())
    return replace(found, users=IdTable(tuple(f"u{k}" for k in range(20))))


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "ratings.db")


@pytest.fixture
def live(small, path):
    with LiveRatings(small, path) as live:
        yield live


@pytest.fixture
def client(live):
    app = make_app(Experiment.of(Service(lambda: live.predictor, LIMITS), live), LIMITS)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


def rated(live, answer, user):
    """The items that a user has rated once what was answered is applied."""
    assert answer.status_code == 200, answer.text
    assert live.reached(answer.json()["position"], 20)
    predictor = live.predictor
    (at,) = predictor.users.encode([user])
    items, levels = predictor.graph.by_user.row(int(at))
    return {
        predictor.items.ids[k]: float(predictor.scale.values[v]) for k, v in zip(items, levels, strict=True)
    }


def entries(path):
    with RatingLog(path) as log:
        return log.read(0)


def test_ratings_of_a_new_user_count_in_the_next_list(client, live, path):
    body = {"ratings": [{"item_id": 3, "rating": 5}, {"item_id": 4, "rating": 1, "time": 99}]}
    before = int(time.time())
    answer = client.put("/api/users/ann/ratings", json=body)
    assert answer.json() == {"position": 2, "entries": 2, "repeated": False}
    assert rated(live, answer, "ann") == {3: 5.0, 4: 1.0}
    assert [entry[1:5] for entry in entries(path)] == [("rate", "ann", 3, 5.0), ("rate", "ann", 4, 1.0)]
    assert before <= entries(path)[0].time <= time.time()
    assert entries(path)[1].time == 99
    answer = client.post("/api/recommendations", json={"user_id": "ann"})
    assert answer.status_code == 200, answer.text
    listed = answer.json()
    assert listed["rated"] == 2
    assert not {3, 4} & {item["item_id"] for item in listed["items"]}
    again = client.put("/api/users/ann/ratings", json={"ratings": [{"item_id": 3, "rating": 2}]})
    assert rated(live, again, "ann") == {3: 2.0, 4: 1.0}


def test_ids_in_addresses_are_those_of_the_data(client, live):
    body = {"ratings": [{"item_id": 3, "rating": 5}]}
    assert rated(live, client.put("/api/users/7/ratings", json=body), "7") == {
        3: 5.0
    }  # a text, as in the run
    assert rated(live, client.put("/api/users/a%2Fb%20c/ratings", json=body), "a/b c") == {3: 5.0}
    assert rated(live, client.delete("/api/users/a%2Fb%20c/ratings/3"), "a/b c") == {}
    for path in ("items/new", "users/%20x/ratings", f"items/{2**63}"):
        answer = client.put(f"/api/{path}", json=body if "ratings" in path else {})
        assert answer.status_code == 422
    assert "whole numbers" in client.put("/api/items/new", json={}).json()["detail"]
    answer = client.post("/api/ratings", json={"ratings": [{"user_id": 7, "item_id": 3, "rating": 5}]})
    assert "the user ids of this run are texts; got 7" in answer.json()["detail"]


def test_one_rating_or_a_whole_user_goes_away(client, live, path):
    body = {"ratings": [{"item_id": 3, "rating": 5}]}
    before = rated(live, client.put("/api/users/u7/ratings", json=body), "u7")
    assert len(before) > 2
    other = next(item for item in before if item != 3)
    assert rated(live, client.delete(f"/api/users/u7/ratings/{other}"), "u7").keys() == before.keys() - {
        other
    }
    assert rated(live, client.delete("/api/users/u7"), "u7") == {}
    assert [entry.kind for entry in entries(path)] == ["erase"]
    answer = client.post("/api/recommendations", json={"user_id": "u7"}).json()
    assert (answer["rated"], len(answer["items"])) == (0, 10)


def test_many_ratings_come_with_their_items_or_not_at_all(client, live, path):
    fresh = {"item_id": 101, "title": "The New One", "genres": ["Drama"], "year": 2031}
    body = {
        "items": [fresh],
        "ratings": [{"user_id": u, "item_id": 101, "rating": 4} for u in ("u1", "u2", "ann")],
    }
    answer = client.post("/api/ratings", json=body)
    assert rated(live, answer, "ann") == {101: 4.0}
    (found,) = client.get("/api/items", params={"q": "new one"}).json()["items"]
    assert found == {**fresh, "name": "The New One", "ratings": 3}
    body["ratings"].append({"user_id": "u3", "item_id": 999, "rating": 4})
    refused = client.post("/api/ratings", json=body)
    assert refused.status_code == 422
    assert "a rated item is unknown; got 999" in refused.json()["detail"]
    assert len(entries(path)) == 4
    assert client.post("/api/ratings", json={}).status_code == 422


def test_an_item_is_stored_and_rated_from_then_on(client, live):
    answer = client.put("/api/items/102", json={"title": "Later"})
    assert answer.status_code == 200
    answer = client.put("/api/users/ann/ratings", json={"ratings": [{"item_id": 102, "rating": 3}]})
    assert rated(live, answer, "ann") == {102: 3.0}
    answer = client.put("/api/items/3", json={"title": "Another name", "year": 1999})
    live.reached(answer.json()["position"], 20)
    assert client.get("/api/items", params={"q": "another name"}).json()["items"][0]["item_id"] == 3
    assert client.put("/api/items/103", json={"genres": ["a|b"]}).status_code == 422


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"ratings": []}, "at least 1 item"),
        ({"ratings": [{"item_id": 3, "rating": 4.5}]}, "not on the scale; got 4.5"),
        ({"ratings": [{"item_id": 3, "rating": 4}, {"item_id": 3, "rating": 5}]}, "an item is rated twice"),
        ({"ratings": [{"item_id": 99, "rating": 4}]}, "unknown; got 99.*ids are 0..14.*PUT /api/items"),
        ({"ratings": [{"item_id": k, "rating": 4} for k in range(51)]}, "too many ratings.*at most 50"),
        ({"ratings": [{"item_id": 3, "rating": 4, "time": 1.5}]}, "valid integer"),
    ],
)
def test_what_makes_no_sense_is_refused_and_not_stored(client, path, body, detail):
    answer = client.put("/api/users/ann/ratings", json=body)
    assert answer.status_code == 422
    with pytest.raises(AssertionError, match=detail):
        raise AssertionError(answer.json()["detail"])
    assert entries(path) == []


def test_a_rating_between_two_levels_is_rounded_if_that_is_asked(client, live):
    body = {"ratings": [{"item_id": 3, "rating": 4.6}], "round": True}
    assert rated(live, client.put("/api/users/ann/ratings", json=body), "ann") == {3: 5.0}


def test_a_key_makes_a_request_count_once(client, live, path):
    body, key = {"ratings": [{"item_id": 3, "rating": 5}]}, {"Idempotency-Key": "one"}
    first = client.put("/api/users/ann/ratings", json=body, headers=key)
    assert client.put("/api/users/ann/ratings", json=body, headers=key).json() == {
        **first.json(),
        "repeated": True,
    }
    assert len(entries(path)) == 1
    for answer in (
        client.put("/api/users/bob/ratings", json=body, headers=key),
        client.put("/api/users/ann/ratings", json={**body, "round": True}, headers=key),
        client.delete("/api/users/ann", headers=key),
    ):
        assert answer.status_code == 409
        assert "was used for a different request" in answer.json()["detail"]
    assert len(entries(path)) == 1
    assert client.put("/api/users/ann/ratings", json=body, headers={"Idempotency-Key": ""}).status_code == 422


def test_while_the_database_is_locked_changes_are_turned_away_and_lists_go_on(
    client, live, path, monkeypatch
):
    monkeypatch.setattr("igmc.live.database.BUSY", 0.05)
    live._writer._log.close()  # it connects anew, with the short wait
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    body, key = {"ratings": [{"item_id": 3, "rating": 5}]}, {"Idempotency-Key": "two"}
    answer = client.put("/api/users/ann/ratings", json=body, headers=key)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "the same Idempotency-Key" in answer.json()["detail"]
    assert client.post("/api/recommendations", json={"user_id": "u1"}).status_code == 200
    assert client.get("/api/ready").status_code == 200
    other.execute("ROLLBACK")
    other.close()
    assert rated(live, client.put("/api/users/ann/ratings", json=body, headers=key), "ann") == {3: 5.0}


def test_ready_tells_where_it_is_and_when_it_cannot_go_on(small, path):
    live = LiveRatings(small, path)  # which does not follow the log yet
    app = make_app(Experiment.of(Service(lambda: live.predictor, LIMITS), live), LIMITS)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert client.get("/api/ready").json() == {
            **{"status": "ok", "arms": ["A"]},
            **{"position": 0, "database": "ok"},
        }
        live.away = "gone"
        assert client.get("/api/ready").json()["database"] == "the database does not answer"
        live.stuck = "an entry is wrong"
        answer = client.get("/api/ready")
        assert (answer.status_code, answer.json()["detail"][:28]) == (503, "an entry of the store cannot")
    live.close()


def test_without_a_store_nothing_can_be_stored(small):
    app = make_app(Experiment.of(Service(small, LIMITS)), LIMITS)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert client.put("/api/users/1/ratings", json={"ratings": []}).status_code == 404
        assert client.get("/api/about").json()["stores"] is False
        assert client.get("/api/ready").json() == {
            **{"status": "ok", "arms": ["A"]},
            **{"position": None, "database": "none"},
        }
        assert "no request is stored" in client.get("/api/openapi.json").json()["info"]["description"].lower()


def test_each_address_is_described(client):
    described = client.get("/api/openapi.json").json()
    paths = described["paths"]
    stored = {
        ("/api/users/{user_id}/ratings", "put"),
        ("/api/users/{user_id}/ratings/{item_id}", "delete"),
        ("/api/users/{user_id}", "delete"),
        ("/api/ratings", "post"),
        ("/api/items/{item_id}", "put"),
    }
    assert stored <= {(path, method) for path in paths for method in paths[path]}
    for path, method in stored:
        operation = paths[path][method]
        assert operation["summary"]
        assert operation["description"]
        assert {"200", "409", "422", "503"} <= set(operation["responses"])
        assert "Idempotency-Key" in {one["name"] for one in operation["parameters"]}
    assert "Stored ratings count for everyone" in described["info"]["description"]
    assert client.get("/api/about").json()["stores"] is True


def test_a_token_guards_what_is_stored(live):
    token = "t" * 20
    app = make_app(Experiment.of(Service(lambda: live.predictor, LIMITS), live), LIMITS, token=token)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert client.delete("/api/users/u7").status_code == 401
        assert client.get("/api/ready").status_code == 200
        assert client.delete("/api/users/u7", headers={"Authorization": f"Bearer {token}"}).status_code == 200
