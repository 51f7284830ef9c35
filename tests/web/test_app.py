"""The API answers as the Predictor does, each request for itself, and says why where it cannot."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from igmc.inference.lists.recommend import recommend
from igmc.inference.why.explain import explain
from tests.web.conftest import FIVE

RATINGS = {one["item_id"]: one["rating"] for one in FIVE}


def listed(answer):
    assert answer.status_code == 200, answer.text
    return [(one["item_id"], one["score"], one["rank"], one["source"]) for one in answer.json()["items"]]


def expected(frame):
    return [
        (item, pytest.approx(score, abs=6e-5), rank, source)
        for item, score, rank, source in zip(
            frame.item_id, frame.score, frame["rank"], frame.source, strict=True
        )
    ]


def test_health_and_what_is_served(client, predictor):
    assert client.get("/api/health").json() == {"status": "ok", "arms": ["A"]}
    about = client.get("/api/about").json()
    assert about["scale"] == [1, 2, 3, 4, 5]
    assert (about["users"], about["items"]) == (len(predictor.users), len(predictor.items))
    assert about["ratings"] == predictor.graph.n_ratings
    assert about["genres"] == list(predictor.info.genre_names)
    assert about["years"] == [min(predictor.info.years), max(predictor.info.years)]
    assert (about["dataset"], about["noun"], about["max_ratings"]) == ("demo", "film", 500)


def test_a_newcomer_gets_what_the_predictor_recommends(client, predictor):
    frame = recommend(predictor, ratings=RATINGS)
    answer = client.post("/api/recommendations", json={"ratings": FIVE})
    assert listed(answer) == expected(frame)
    assert len(frame) == 10
    first, body = frame.iloc[0], answer.json()
    one = body["items"][0]
    assert (one["title"], "|".join(one["genres"]), one["year"]) == (first.title, first.genres, first.year)
    assert (body["reason"], body["rated"]) == ("", 5)
    assert not RATINGS.keys() & {one["item_id"] for one in body["items"]}


@pytest.mark.parametrize("ratings", [None, FIVE])
def test_a_known_user_gets_what_the_predictor_recommends(client, predictor, ratings):
    user = predictor.users.ids[7]
    frame = recommend(predictor, user_id=user, ratings=ratings and RATINGS)
    asked = {"user_id": user} if ratings is None else {"user_id": user, "ratings": ratings}
    assert listed(client.post("/api/recommendations", json=asked)) == expected(frame)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ({"k": 3}, {"k": 3}),
        ({"k": 100}, {"k": 100}),
        ({"genres": ["Drama"]}, {"genre": "Drama"}),
        ({"exclude_genres": ["Drama", "Crime"]}, {"exclude_genre": ["Drama", "Crime"]}),
        ({"year_from": 1990}, {"years": (1990, None)}),
        ({"year_from": 1990, "year_to": 1995}, {"years": (1990, 1995)}),
        ({"min_score": 3.4}, {"min_score": 3.4}),
        ({"bottom": True}, {"bottom": True}),
        ({"order": "lift"}, {"order": "lift"}),
        ({"diversity": 0.8}, {"diversity": 0.8}),
        ({"gems": True}, {"gems": True}),
        ({"exclude": [f"f{k:03}" for k in range(1, 120)]}, {"exclude": [f"f{k:03}" for k in range(1, 120)]}),
    ],
)
def test_every_filter_does_what_it_does_there(client, predictor, asked, given):
    plain = listed(client.post("/api/recommendations", json={"ratings": FIVE}))
    found = listed(client.post("/api/recommendations", json={"ratings": FIVE, **asked}))
    assert found == expected(recommend(predictor, ratings=RATINGS, **given))
    assert found != plain or "min_score" in asked


def test_a_short_list_says_why(client):
    asked = {"ratings": FIVE, "genres": ["Western"], "year_from": 1990, "year_to": 1991, "min_score": 4.9}
    body = client.post("/api/recommendations", json=asked).json()
    assert len(body["items"]) < 10
    assert "left: of 250 items" in body["reason"]


@pytest.mark.parametrize("user", [None, 7])
def test_scores_of_given_items_are_those_of_the_predictor(client, predictor, user):
    items = ["f050", "f001", "f999", "f002"]
    known = None if user is None else predictor.users.ids[user]
    body = {"item_ids": items, "ratings": FIVE} if user is None else {"item_ids": items, "user_id": known}
    answer = client.post("/api/scores", json=body)
    assert answer.status_code == 200, answer.text
    found = predictor.with_user(RATINGS if user is None else {}, known).score(items)
    assert [(one["item_id"], one["score"], one["source"]) for one in answer.json()["scores"]] == [
        (item, pytest.approx(score, abs=6e-5), source)
        for item, score, source in zip(items, found.score, found.source, strict=True)
    ]
    assert answer.json()["scores"][2]["source"] != "model"


@pytest.mark.parametrize(
    ("asked", "status"), [({"item_ids": []}, 422), ({"item_ids": ["f001"]}, 422), ({}, 422)]
)
def test_scores_for_nobody_or_of_nothing_are_refused(client, asked, status):
    assert client.post("/api/scores", json=asked).status_code == status
    assert client.post("/api/scores", json={"item_ids": ["f001"], "user_id": 99_999}).status_code == 404


def test_an_explanation_is_that_of_the_predictor(client, predictor):
    answer = client.post("/api/explanations", json={"item_id": "f050", "ratings": FIVE})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    found = explain(predictor, None, "f050", ratings=RATINGS, top=6, limit=200)
    assert body["score"] == pytest.approx(found.score, abs=6e-5)
    assert body["text"] == found.sentence()
    assert body["item"]["item_id"] == "f050"
    assert [node["id"] for node in body["users"]] == [node.id for node in found.users]
    assert [(node["id"], node["title"]) for node in body["items"]] == [(n.id, n.title) for n in found.items]
    assert body["users"][0]["id"] is None
    got = [(one["user"], one["item"], one["rating"], one["importance"]) for one in body["ratings"]]
    assert got == [
        (edge.user, edge.item, edge.rating, pytest.approx(edge.importance, abs=1e-6)) for edge in found.edges
    ]
    assert got
    assert body["subgraph"] == {"users": found.n_users, "items": found.n_items, "ratings": found.n_ratings}


def test_a_known_rating_is_told_and_not_looked_at(client, predictor):
    user, item = 3, int(predictor.graph.by_user.row(3)[0][0])
    asked = {"user_id": predictor.users.ids[user], "item_id": predictor.items.ids[item]}
    body = client.post("/api/explanations", json=asked).json()
    level = predictor.graph.by_user.row(3)[1][0]
    assert body["known_rating"] == predictor.scale.values[level]
    assert body["score"] == pytest.approx(float(predictor.predict_indices([user], [item]).score[0]), abs=6e-5)


def test_titles_are_found_by_words_in_any_order_without_capitals(client, predictor):
    body = client.get("/api/items", params={"q": "MIRROR iron", "limit": 5}).json()
    assert body["items"][0]["title"] == "The Iron Mirror (1999)"
    title = body["items"][0]
    assert title == {
        "item_id": "f001",
        "title": "The Iron Mirror (1999)",
        "name": "The Iron Mirror",
        "genres": ["Crime", "Documentary"],
        "year": 1999,
        "ratings": int(predictor.graph.by_item.degrees(np.array([0], np.int32))[0]),
    }
    assert client.get("/api/items", params={"q": "no such words"}).json() == {"items": [], "corrected": False}
    begun = client.get("/api/items", params={"q": "the iron"}).json()["items"]
    assert all(one["title"].startswith("The Iron") for one in begun)


def test_a_list_tells_lifts_usual_ratings_and_reasons(client, predictor):
    frame = recommend(predictor, ratings=RATINGS, order="lift", because=True)
    asked = {"ratings": FIVE, "order": "lift", "because": True}
    items = client.post("/api/recommendations", json=asked).json()["items"]
    assert [one["lift"] for one in items] == pytest.approx(frame.lift.tolist(), abs=6e-5)
    usual = [one["usual"] for one in items]
    assert usual == pytest.approx(
        [score - lift for score, lift in zip(frame.score, frame.lift, strict=True)], abs=2e-4
    )
    named = [one["because"] and one["because"]["item_id"] for one in items]
    assert named == [None if pd.isna(one) else one for one in frame.because]
    assert any(named)
    plain = client.post("/api/recommendations", json={"ratings": FIVE}).json()["items"]
    assert [one["because"] for one in plain] == [None] * 10


def test_similar_items_and_users_are_found(client, predictor):
    body = client.post("/api/similar", json={"item_id": "f001", "k": 3}).json()
    assert [one["item_id"] for one in body["items"]] == predictor.similar_items("f001", 3)["item_id"].tolist()
    assert client.post("/api/similar", json={"item_id": "f999"}).status_code == 404
    users = client.get("/api/users", params={"q": "30"}).json()["users"]
    assert [one["user_id"] for one in users] == [30, 300]


def test_without_words_the_items_of_most_ratings_come_first(client):
    counts = [one["ratings"] for one in client.get("/api/items", params={"limit": 40}).json()["items"]]
    assert counts == sorted(counts, reverse=True)
    assert len(counts) == 40


@pytest.mark.parametrize(
    ("asked", "status", "detail"),
    [
        ({}, 422, "no user to recommend for"),
        ({"user_id": "nobody"}, 404, r"no such user; got 'nobody'.*ids are"),
        ({"user_id": 99_999}, 404, "no such user; got 99999.*ids are 1..300"),
        (
            {"ratings": [{"item_id": "f999", "rating": 4}]},
            422,
            "the run does not know a rated item; got 'f999'; hint: ids are such as",
        ),
        ({"ratings": [{"item_id": "f001", "rating": 6}]}, 422, "not on the scale; got 6.*1, 2, 3, 4, 5"),
        ({"ratings": [{"item_id": "f001", "rating": 4.5}]}, 422, "not on the scale"),
        ({"ratings": [{"item_id": "f001", "rating": True}]}, 422, r"ratings\.0\.rating: .*number"),
        ({"ratings": [{"item_id": "f001", "rating": "5"}]}, 422, r"ratings\.0\.rating: .*number"),
        ({"ratings": [{"item_id": 1.0, "rating": 5}]}, 422, r"ratings\.0\.item_id"),
        ({"ratings": [{"item_id": "f001"}]}, 422, r"ratings\.0\.rating: Field required"),
        ({"ratings": [FIVE[0], FIVE[0]]}, 422, "rated twice; got 'f001'"),
        ({"ratings": [], "k": 0}, 422, "body.k: .*greater than or equal to 1"),
        ({"ratings": [], "k": 101}, 422, "body.k: .*less than or equal to 100"),
        ({"ratings": [], "k": "10"}, 422, "body.k: .*valid integer"),
        (
            {"ratings": [], "genres": ["Dramma"]},
            422,
            "no item has this genre; got 'Dramma'.*did you mean Drama",
        ),
        (
            {"ratings": [], "year_from": 1999, "year_to": 1990},
            422,
            "years are not a range; got '1999 to 1990'",
        ),
        ({"ratings": [], "order": "fame"}, 422, "order.*got 'fame'"),
        ({"ratings": [], "diversity": 2}, 422, "body.diversity: .*less than or equal to 1"),
        ({"ratings": [], "exclude": [True]}, 422, "body.exclude.0"),
        ({"ratings": [], "colour": "red"}, 422, "body.colour: Extra inputs"),
        ({"ratings": "f001=5"}, 422, "body.ratings: .*valid list"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(client, asked, status, detail):
    answer = client.post("/api/recommendations", json=asked)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    with pytest.raises(AssertionError, match=detail):
        raise AssertionError(answer.json()["detail"])


@pytest.mark.parametrize("path", ["recommendations", "explanations"])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"ratings": [{"item_id": "f001", "rating": NaN}], "item_id": "f002"}', 422),
        (b'{"ratings": [{"item_id": "f001", "rating": Infinity}], "item_id": "f002"}', 422),
        (b'{"ratings": [{"item_id": "f001", "rating": 1e999}], "item_id": "f002"}', 422),
        (b'{"ratings": [{"item_id": "\\ud800", "rating": 1}], "item_id": "f002"}', 422),
        (b'{"\\ud800": 1}', 422),
        (b'{"ratings": [], "item_id": "f002"', 422),
        (b'{"ratings": [], "item_id": ' + b"9" * 5000 + b"}", 400),
        (b"[" * 20_000 + b"]" * 20_000, 400),
        (b"\xff\xfe", 422),
        (b"null", 422),
        (b"", 422),
    ],
)
def test_what_is_hardly_json_is_refused(client, path, body, status):
    answer = client.post(f"/api/{path}", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]


def test_a_body_that_is_not_declared_to_be_json_says_which_header_is_missing(client):
    kind = {"content-type": "application/x-www-form-urlencoded"}  # as curl -d sends it
    answer = client.post("/api/recommendations", content=b'{"ratings": []}', headers=kind)
    assert answer.status_code == 422
    assert answer.json()["detail"].endswith("hint: send Content-Type: application/json")


def test_another_method_is_refused_with_the_one_to_use(client):
    answer = client.get("/api/recommendations")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["detail"] == "this address does not take GET; allowed: POST"


def test_a_score_that_is_no_number_is_refused(client):
    body = b'{"ratings": [], "min_score": NaN}'
    answer = client.post("/api/recommendations", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert "min_score: Input should be a finite number" in answer.json()["detail"]


def test_an_unknown_item_has_no_explanation(client):
    answer = client.post("/api/explanations", json={"item_id": "f99", "ratings": FIVE})
    assert answer.status_code == 404
    assert "no such item; got 'f99'" in answer.json()["detail"]
    assert client.post("/api/explanations", json={"item_id": "f001"}).status_code == 422


def test_other_addresses_and_methods_are_told_apart(client):
    assert "openapi.json" in client.get("/api/nothing").json()["detail"]
    assert client.get("/api/nothing").status_code == 404
    answer = client.get("/api/recommendations")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_requests_at_the_same_time_do_not_mix(client, predictor):
    rng = np.random.default_rng(0)
    asked = []
    for _ in range(24):
        chosen = rng.choice(250, 5, replace=False)
        asked.append({predictor.items.ids[k]: float(rng.integers(1, 6)) for k in chosen})
    alone = [expected(recommend(predictor, ratings=ratings, k=5)) for ratings in asked]
    assert len({str(one) for one in alone}) == len(asked)

    def post(ratings):
        body = [{"item_id": item, "rating": rating} for item, rating in ratings.items()]
        return listed(client.post("/api/recommendations", json={"ratings": body, "k": 5}))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(post, asked)) == alone
    unchanged = recommend(predictor, ratings=asked[0], k=5)
    assert expected(unchanged) == alone[0]
