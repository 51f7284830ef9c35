"""A predictor that follows a log: other processes, restarts, an absent database, another run."""

import time

import pytest

from igmc.errors import ConfigError
from igmc.live.entries import Change, DatabaseAwayError, Draft
from igmc.live.log import RatingLog
from igmc.live.ratings import LiveRatings
from igmc.ratings.scale import RatingScale
from tests.inference.small import GRAPH, make_scorer, predictor_of
from tests.live.test_applying import by_hand, known


@pytest.fixture(scope="module")
def small():
    return predictor_of(GRAPH, make_scorer())


@pytest.fixture
def make_live(store, small):
    made = []

    def make(predictor=small):
        made.append(LiveRatings(predictor, store))
        made[-1].start()
        return made[-1]

    yield make
    for live in made:
        live.close()


def rate(user, item, rating=3.0):
    return Draft("rate", user, item, rating, 0)


def write(live, *drafts, **more):
    return live.write(Change(drafts, **more)).result(20)


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_what_one_stores_another_serves_and_a_third_after_a_restart(make_live, small, store):
    one, other = make_live(), make_live()
    for k in range(5):
        receipt = write(one if k % 2 else other, rate("new", k, 1.0 + k), rate(3, k))
    write(one, Draft("erase", 4))
    receipt = write(other, Draft("delete", "new", 0))
    assert one.reached(receipt.position, 20)
    assert other.reached(receipt.position, 20)
    with RatingLog(store) as log:
        expected = by_hand(known(small), log.read(0))
    third = make_live()
    for live in (one, other, third):
        assert live.state.position == receipt.position
        assert known(live.predictor) == expected
    with RatingLog(store) as log:
        log.compact()
    assert known(make_live().predictor) == expected


def test_a_request_sees_one_state_whatever_comes_in_meanwhile(make_live):
    live = make_live()
    before = live.predictor
    assert live.reached(write(live, rate("new", 1)).position, 20)
    assert before.users.encode(["new"])[0] == -1
    assert live.predictor.users.encode(["new"])[0] >= 0


def test_catching_up_waits_for_what_others_have_stored(make_live, store):
    live = make_live()
    with RatingLog(store) as log:
        log.append([Change((rate("of another process", 1),))])
    assert live.caught_up(20)
    assert live.predictor.users.encode(["of another process"])[0] >= 0
    assert not live.reached(10**6, 0.01)


def test_another_run_takes_over_with_all_that_is_stored(make_live):
    live = make_live()
    write(live, rate("new", 1))
    fresh = predictor_of(GRAPH, make_scorer())
    warmed = []
    live.swap(fresh, lambda found: warmed.append((found, live.predictor)))
    assert live.predictor.scorer is fresh.scorer
    ((about_to_answer, meanwhile),) = warmed
    assert known(about_to_answer)["new", 1] == 3.0
    assert meanwhile.scorer is not fresh.scorer
    assert known(live.predictor)["new", 1] == 3.0
    assert live.reached(write(live, rate("new", 2)).position, 20)
    assert known(live.predictor)["new", 2] == 3.0


def test_a_run_on_another_scale_is_refused_and_the_old_one_goes_on(make_live):
    live = make_live()
    other = predictor_of(GRAPH, make_scorer())
    object.__setattr__(other, "scale", RatingScale.fit([1.0, 2.0]))
    with pytest.raises(ConfigError, match="different scale"):
        live.swap(other)
    assert live.reached(write(live, rate("new", 2)).position, 20)


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_a_stopped_database_refuses_changes_and_is_followed_again_afterwards(small, store, postgres_server):
    live = LiveRatings(small, store)
    live.start()
    try:
        write(live, rate("before", 1))
        postgres_server.stop()
        try:
            with pytest.raises(DatabaseAwayError):
                write(live, rate("during", 1), key="key", digest="d")
            until(lambda: live.away)
            assert known(live.predictor)["before", 1] == 3.0
            assert not live.caught_up(0.01)
        finally:
            postgres_server.start()
        receipt = write(live, rate("during", 1), key="key", digest="d")
        assert live.reached(receipt.position, 20)
        until(lambda: not live.away)
        assert {("before", 1), ("during", 1)} <= set(known(live.predictor))
    finally:
        live.close()


def test_an_entry_that_cannot_be_applied_is_told(make_live, store):
    live = make_live()
    with RatingLog(store) as log:
        log.append([Change((rate(1, 1, 77.0),))])
    until(lambda: "not on the scale" in live.stuck)
    assert live.state.position == 0
