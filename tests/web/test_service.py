"""What can be asked of a run, without the wire in between."""

import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from igmc.config import ServeConfig
from igmc.errors import ConfigError, DataError
from igmc.networks.rgcn import scoring
from igmc.web import schemas, score_schemas
from igmc.web.service import Service, UnknownIdError
from tests.clicks import kinds
from tests.web.conftest import FIVE

LATER = float("inf")


@pytest.fixture(scope="module")
def service(predictor) -> Service:
    return Service(predictor, ServeConfig())


def entitled(predictor, *titles) -> Service:
    """A service whose items have these titles, the one of most ratings the first, and the others none."""
    info, size = predictor.info, len(predictor.items)
    counts = predictor.graph.by_item.degrees(np.arange(size, dtype=np.int32))
    given = dict(zip(np.argsort(-counts).tolist(), titles, strict=False))
    titled = replace(info, titles=tuple(given.get(item, "") for item in range(size)))
    return Service(replace(predictor, info=titled), ServeConfig())


def found(service, words, limit=5) -> list[str]:
    return [item.title for item in service.search(words, limit, False, LATER).items]


def test_titles_that_begin_as_asked_come_first_then_words_that_do(predictor):
    service = entitled(predictor, "Superman", "A Woman", "The Man", "Man of Marble", "Amélie")
    assert found(service, "man") == ["Man of Marble", "The Man", "Superman", "A Woman"]
    assert found(service, "man", limit=1) == ["Man of Marble"]
    assert found(service, "AMELIE") == ["Amélie"]
    assert found(service, "marble man") == ["Man of Marble"]
    assert found(service, "man nowhere") == []


def test_items_without_titles_are_found_by_their_ids(predictor):
    service = Service(replace(predictor, info=None), ServeConfig())
    (item,) = service.search("f017", 5, False, LATER).items
    assert (item.item_id, item.title, item.genres, item.year) == ("f017", "", [], None)
    about = service.about()
    assert (about.genres, about.years) == ([], [])


def test_what_is_served_is_told_without_its_place(predictor):
    config = predictor.config.replace(data=predictor.config.data.replace(dataset="/home/somebody/films.csv"))
    about = Service(replace(predictor, config=config), ServeConfig(max_ratings=7)).about()
    assert (about.dataset, about.noun, about.max_ratings) == ("films.csv", "item", 7)
    assert about.epochs == list(predictor.epochs)


def test_more_ratings_than_allowed_are_refused(predictor):
    service = Service(predictor, ServeConfig(max_ratings=4))
    with pytest.raises(DataError, match="too many ratings in a request; got 5; allowed: at most 4"):
        service.recommend(schemas.ListRequest(ratings=FIVE), LATER)
    answer = service.recommend(schemas.ListRequest(ratings=FIVE[:4]), LATER)
    assert (answer.rated, len(answer.items)) == (4, 10)


def test_who_and_what_is_not_known_is_told_apart_from_what_makes_no_sense(service):
    with pytest.raises(UnknownIdError, match="no such user; got 99999"):
        service.recommend(schemas.ListRequest(user_id=99_999), LATER)
    with pytest.raises(UnknownIdError, match="no such item; got 'f99'"):
        service.explain(schemas.ExplanationRequest(item_id="f99", ratings=FIVE), LATER)
    with pytest.raises(DataError, match="an item is rated twice; got 'f001'") as error:
        service.recommend(schemas.ListRequest(ratings=[FIVE[0], FIVE[0]]), LATER)
    assert not isinstance(error.value, UnknownIdError)


@pytest.mark.parametrize("method", ["recommend", "explain"])
def test_the_models_are_not_asked_after_the_deadline(service, method, monkeypatch):
    asked = schemas.ListRequest(ratings=FIVE, min_score=5.0)
    if method == "explain":
        asked = schemas.ExplanationRequest(ratings=FIVE, item_id="f050")
    answer = getattr(service, method)
    assert answer(asked, time.monotonic() + 60)
    with pytest.raises(TimeoutError):
        answer(asked, time.monotonic() - 1)
    clock = iter(range(100))
    monkeypatch.setattr(scoring, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    with pytest.raises(TimeoutError):
        answer(asked, 0.5)
    assert next(clock) == 2, "the deadline passed after the first piece"


@pytest.mark.parametrize("ids", [[2**63, 2], ["x" * 257, "y"]])
def test_ids_that_no_answer_can_hold_are_refused_at_the_start(predictor, ids):
    odd = SimpleNamespace(info=None, users=predictor.users, items=SimpleNamespace(ids=ids))
    with pytest.raises(DataError, match="the API cannot send this item id"):
        Service(odd, ServeConfig())


def test_a_rating_between_two_levels_is_rounded_if_that_is_asked(service):
    between = [schemas.Rating(item_id="f001", rating=4.6)]
    near = [schemas.Rating(item_id="f001", rating=5)]
    with pytest.raises(DataError, match="not on the scale"):
        service.recommend(schemas.ListRequest(ratings=between), LATER)
    rounded = service.recommend(schemas.ListRequest(ratings=between, round=True), LATER)
    assert rounded == service.recommend(schemas.ListRequest(ratings=near), LATER)


def test_of_a_database_neither_query_nor_password_is_shown(predictor):
    data = predictor.config.data.replace(dataset="postgresql://me:secret@host/shop?query=SELECT 1")
    served = replace(predictor, config=predictor.config.replace(data=data))
    assert Service(served, ServeConfig()).about().dataset == "shop"


def test_each_request_is_answered_by_what_is_known_when_it_comes(predictor):
    known = [predictor]
    service = Service(lambda: known[0], ServeConfig())
    before = service.about().ratings
    known[0] = predictor.add_ratings({"user_id": ["new"], "item_id": ["a new one"], "rating": [5]})
    assert service.about().ratings == before + 1
    assert service.recommend(schemas.ListRequest(user_id="new"), LATER).rated == 1
    assert [item.item_id for item in service.search("a new one", 5, False, LATER).items] == ["a new one"]


def test_warming_up_asks_what_requests_ask(predictor, monkeypatch):
    asked = []
    monkeypatch.setattr(Service, "recommend", lambda self, body, deadline: asked.append(body))
    Service(predictor, ServeConfig()).warm()
    known, newcomer = asked
    assert known.user_id in predictor.users.ids
    assert newcomer.ratings[0].item_id in predictor.items.ids


def test_without_ratings_there_are_lists_and_no_scores(clicks):
    service = Service(clicks, ServeConfig())
    service.warm()
    about = service.about()
    assert (about.rates, about.scale, about.orders) == (False, [1.0], ["auto", "relevance"])
    liked = [schemas.Rating(item_id=name, rating=1) for name in ("i0", "i3")]
    found = service.recommend(schemas.ListRequest(ratings=liked, k=3), float("inf"))
    assert kinds([one.item_id for one in found.items]) == [0] * 3
    assert {(one.score, one.lift, one.source, one.low) for one in found.items} == {(None,) * 4}
    first = service.search("", 60, telling=True, deadline=float("inf")).items
    assert [one.ratings for one in first] == sorted((one.ratings for one in first), reverse=True)
    with pytest.raises(ConfigError, match="makes lists and predicts no ratings"):
        service.score(score_schemas.ScoreRequest(ratings=liked, item_ids=["i1"]), float("inf"))
