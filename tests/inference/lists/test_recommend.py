"""Lists of items: what is in them, in which order, what is left out and why; titles from the run folder."""

import dataclasses
import itertools
import shutil
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import igmc.run
from igmc.config import ListConfig, RunConfig, run_config
from igmc.errors import ConfigError, DataError
from igmc.graph.serving import ServingGraph
from igmc.inference.item_info import ITEMS_FILE
from igmc.inference.lists.candidates import candidate_order
from igmc.inference.lists.diversity import likeness
from igmc.inference.lists.orders import little_known, usual_ratings
from igmc.inference.lists.recommend import list_items, recommend
from igmc.inference.lists.request import ListRequest
from igmc.inference.predictor import Predictor
from igmc.networks.rgcn import scoring
from tests.conftest import SMALL_RUN
from tests.inference.lists.demo import INFO, MINE, unseen


class Fake:
    """A scorer that gives each item what it is told, and remembers what it was asked."""

    def __init__(self, scores):
        self.scores, self.asked = np.asarray(scores, np.float32), []

    def score_user(self, known: ServingGraph, graph: ServingGraph, user, item, *, deadline):
        self.asked += item.tolist()
        return self.scores[item][None]


@pytest.fixture
def fake(predictor):
    """Makes a predictor with such a scorer."""

    def make(scores):
        scorer = Fake(np.broadcast_to(scores, len(predictor.items)))
        return dataclasses.replace(predictor, scorer=scorer), scorer

    return make


def by_hand(predictor, ratings, items, *, bottom=False):
    """All of the items, scored one request each, best first."""
    predicted = predictor.score_user(ratings, items, clip=False)
    return predicted.sort_values("score", ascending=bottom, kind="stable").reset_index(drop=True)


@pytest.mark.parametrize("bottom", [False, True])
def test_exhaustive_lists_are_the_best_and_the_worst_of_all(predictor, bottom):
    found = recommend(predictor, ratings=MINE, exhaustive=True, bottom=bottom)
    expected = by_hand(predictor, MINE, unseen(predictor), bottom=bottom)[:10]
    assert list(found) == ["user_id", "item_id", "score", "lift", "rank", "title", "genres", "year", "source"]
    assert found.item_id.tolist() == expected.item_id.tolist()
    assert found.score.tolist() == expected.score.clip(1, 5).tolist()
    assert found["rank"].tolist() == list(range(1, 11))
    assert found.user_id.isna().all()
    assert found.score.dtype == np.float32
    assert found.attrs["reason"] == ""
    assert found.title.tolist() == INFO.title[found.item_id].tolist()
    assert found.genres.tolist() == INFO.genres[found.item_id].tolist()
    assert found.year.tolist() == INFO.year[found.item_id].tolist()


@pytest.mark.parametrize("bottom", [False, True])
def test_two_stages_list_the_best_of_the_candidates(predictor, bottom):
    view = predictor.with_user(MINE)
    mask = np.ones(len(predictor.items), bool)
    mask[view.rated] = False
    order = candidate_order(view.graph, view.user, mask, predictor.scale.values, budget=10**9, bottom=bottom)
    candidates = predictor.items.decode(np.sort(order[:30]))
    expected = by_hand(predictor, MINE, candidates, bottom=bottom).item_id[:10]
    found = recommend(predictor, ratings=MINE, candidates=30, bottom=bottom, order="score")
    assert found.item_id.tolist() == expected.tolist()
    fewer = recommend(predictor, ratings=MINE, candidates=10, bottom=bottom, order="score")
    assert found.item_id.tolist() != fewer.item_id.tolist()


def test_a_known_users_items_are_hidden_and_new_ratings_come_on_top(predictor):
    known = predictor.items.decode(predictor.with_user({}, 3).rated)
    everything = recommend(predictor, user_id=3, k=1000)
    assert sorted(everything.item_id) == sorted(set(predictor.items.ids) - set(known))
    assert set(everything.user_id) == {3}
    extra = everything.item_id[0]
    more = recommend(predictor, user_id=3, ratings={extra: 1}, k=1000)
    assert sorted(more.item_id) == sorted(set(everything.item_id) - {extra})
    assert more.score.tolist() != everything.score[1:].tolist()
    named = recommend(predictor, user_id="newcomer", ratings=MINE)
    assert set(named.user_id) == {"newcomer"}
    assert named.item_id.tolist() == recommend(predictor, ratings=MINE).item_id.tolist()


def test_min_score_widens_the_candidates_until_there_are_k(fake):
    scores = np.full(250, 2.0)
    scores[[200, 210, 220]] = 4.5
    predictor, scorer = fake(scores)
    found = recommend(predictor, user_id=3, k=3, min_score=4, candidates=5, order="score")
    good = [raw for raw in ("f201", "f211", "f221") if raw in unseen(predictor, {}, 3)]
    assert found.item_id.tolist() == good[:3]
    assert len(scorer.asked) == len(set(scorer.asked)), "no pair is asked twice"
    predictor, scorer = fake(scores)
    found = recommend(predictor, user_id=3, k=10, min_score=4, candidates=5, order="score")
    assert found.item_id.tolist() == good
    assert len(scorer.asked) == len(unseen(predictor, {}, 3))
    assert f"only {len(good)} items are left" in found.attrs["reason"]
    assert found.attrs["reason"].endswith(f"{len(good)} predicted to get 4 or more")
    predictor, scorer = fake(scores)
    recommend(predictor, user_id=3, k=3, candidates=5, order="score")
    assert len(scorer.asked) == 5


def test_equal_predictions_stand_in_the_order_of_items_and_the_scale_makes_no_equals(fake):
    predictor, _ = fake(3.0)
    ids = unseen(predictor, {}, 3)
    for bottom in (False, True):
        found = recommend(predictor, user_id=3, exhaustive=True, bottom=bottom)
        assert found.item_id.tolist() == ids[:10]
    above = np.linspace(5.1, 6.0, 250)
    predictor, _ = fake(above)
    found = recommend(predictor, user_id=3, exhaustive=True)
    assert found.item_id.tolist() == ids[::-1][:10]
    assert found.score.tolist() == [5.0] * 10


def test_an_empty_list_says_why(predictor):
    found = recommend(predictor, ratings=MINE, years=(1800, 1810), order="score")
    assert len(found) == 0
    assert list(found) == ["user_id", "item_id", "score", "lift", "rank", "title", "genres", "year", "source"]
    reason = "no item is left: of 250 items, 0 of 1800-1810, 0 not rated by the user"
    assert found.attrs["reason"] == reason
    assert recommend(predictor, ratings=MINE, items="f200").item_id.tolist() == ["f200"]  # no list of letters
    assert recommend(predictor, ratings=MINE, items=["x"]).attrs["reason"] == (
        "no item is left: of 250 items, 0 of the 1 allowed, 0 not rated by the user"
    )
    everything = dict.fromkeys(predictor.items.ids, 3)
    assert "0 not rated by the user" in recommend(predictor, ratings=everything).attrs["reason"]


def test_someone_without_ratings_gets_what_others_like_flagged(predictor):
    found = recommend(predictor, ratings={}, order="score")
    assert set(found.source) == {"item mean"}
    assert len(found) == 10
    assert found.score.is_monotonic_decreasing


def test_a_folder_answers_as_its_predictor(predictor, demo_run):
    pd.testing.assert_frame_equal(recommend(demo_run, user_id=1, k=3), recommend(predictor, user_id=1, k=3))
    assert igmc.recommend is recommend


def test_the_deadline_holds_for_a_list_that_widens(predictor, monkeypatch):
    clock = itertools.count()
    monkeypatch.setattr(scoring, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    all_below = ListRequest(ratings=MINE, config=ListConfig(min_score=5, candidates=10))
    whole = list_items(predictor, all_below, deadline=10_000)
    assert whole.scored == len(unseen(predictor))
    pieces = next(clock)
    clock = itertools.count()
    with pytest.raises(TimeoutError):
        list_items(predictor, all_below, deadline=pieces - 2)
    assert next(clock) == pieces, "all but the last piece are scored"


def test_threads_do_not_mix(predictor):
    requests = [ListRequest(user_id=user, config=ListConfig(k=5)) for user in range(1, 9)]
    requests += [ListRequest(ratings={"f001": 1 + n, "f002": 5 - n}) for n in range(4)]
    alone = [list_items(predictor, request) for request in requests]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda request: list_items(predictor, request), requests * 2))
    for one, other in zip(alone * 2, together, strict=True):
        assert one.item.tolist() == other.item.tolist()
        assert one.score.tolist() == other.score.tolist()
        assert one.reason == other.reason


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({}, ConfigError, "no user to recommend for"),
        ({"user_id": 301}, DataError, r"user is unknown; got 301; hint: ids are 1\.\.300; or give the ra"),
        ({"user_id": "3"}, DataError, r"user is unknown; got '3'; .*did you mean 3 \(a number\)\?"),
        (
            {"ratings": {"f01": 5}},
            DataError,
            r"the run does not know a rated item; got 'f01'.*did you mean 'f\d",
        ),
        ({"ratings": {"f001": 4.5}}, DataError, "not on the scale; got 4.5; allowed: 1, 2, 3, 4, 5"),
        ({"user_id": 1, "k": 0}, ConfigError, "ListConfig.k is out of range; got 0; allowed: at least 1"),
        ({"user_id": 1, "candidates": 0}, ConfigError, "ListConfig.candidates is out of range"),
        ({"user_id": 1, "budget": 0}, ConfigError, "ListConfig.budget is out of range"),
        ({"user_id": 1, "min_score": float("nan")}, ConfigError, "ListConfig.min_score is out of range"),
        (
            {"user_id": 1, "genre": "Sience"},
            ConfigError,
            "no item has this genre; got 'Sience'; allowed: Action, Comedy",
        ),
        ({"user_id": 1, "exclude_genre": ["Westen"]}, ConfigError, "did you mean Western"),
        ({"user_id": 1, "years": (1990, 1980)}, ConfigError, r"years are not a range; got '1990 to 1980'"),
        ({"user_id": 1, "years": (1990,)}, ConfigError, "years are not a range"),
        ({"user_id": 1, "years": ()}, ConfigError, "years are not a range"),
        ({"user_id": 1, "years": ("1990", None)}, ConfigError, "years are not a range"),
    ],
)
def test_what_is_wrong_is_said(predictor, wrong, error, message):
    with pytest.raises(error, match=message):
        recommend(predictor, **wrong)


@pytest.fixture
def copied(demo_run, tmp_path):
    shutil.copytree(demo_run, tmp_path / "run")
    return tmp_path / "run"


def test_a_run_without_titles_answers_and_training_again_notes_them(copied, predictor):
    (copied / ITEMS_FILE).unlink()
    old = Predictor.from_run(copied, device="cpu")
    found = recommend(old, user_id=1, order="score")
    assert list(found) == ["user_id", "item_id", "score", "lift", "rank", "source"]
    assert found.item_id.tolist() == recommend(predictor, user_id=1, order="score").item_id.tolist()
    for wrong in ({"genre": "Drama"}, {"years": (1990, None)}):
        with pytest.raises(ConfigError, match=r"this run has no item (genres|years)"):
            recommend(old, user_id=1, **wrong)
    igmc.run.train(RunConfig.from_dict(SMALL_RUN), out=copied, device="cpu", progress=False)
    assert recommend(copied, user_id=1).title.tolist() == recommend(predictor, user_id=1).title.tolist()


def test_the_demo_run_is_made_once(monkeypatch, tmp_path):
    small = run_config("demo", {"neighbours": {"epochs": 1, "members": 1, "max_neighbors": 20}})
    monkeypatch.setattr(igmc.run, "run_config", lambda name: small)
    folder = igmc.run.demo_run(tmp_path, progress=False)
    assert folder.parent == tmp_path / "demo-run"
    assert (folder / "metrics.json").exists()
    monkeypatch.setattr(igmc.run, "train", None)
    assert igmc.run.demo_run(tmp_path) == folder
    assert len(recommend(folder, ratings=MINE, k=3)) == 3


def test_by_lift_the_list_is_what_is_predicted_above_what_everybody_gives(predictor):
    found = recommend(predictor, ratings=MINE, exhaustive=True, order="lift", k=20)
    every = predictor.score_user(MINE, unseen(predictor), clip=False)
    index = predictor.items.encode(every.item_id)
    every["lift"] = every.score - usual_ratings(predictor.graph, index, predictor.scale.values)
    best = every.sort_values("lift", ascending=False, kind="stable")[:20]
    assert found.item_id.tolist() == best.item_id.tolist()
    np.testing.assert_allclose(found.lift, best.lift, rtol=1e-5)
    worst = recommend(predictor, ratings=MINE, exhaustive=True, order="lift", bottom=True)
    assert worst.lift[0] == pytest.approx(every.lift.min(), rel=1e-5)
    by_score = recommend(predictor, ratings=MINE, exhaustive=True)
    assert by_score.item_id.tolist() != found.item_id[:10].tolist()
    lifts = every.set_index("item_id").lift[by_score.item_id]
    np.testing.assert_allclose(by_score.lift, lifts, rtol=1e-5)


def test_gems_are_items_that_few_rated_by_lift(predictor):
    found = recommend(predictor, ratings=MINE, gems=True, exhaustive=True)
    allowed = [predictor.items.ids[k] for k in np.flatnonzero(little_known(predictor.graph))]
    assert 0 < len(allowed) < 250
    expected = recommend(predictor, ratings=MINE, order="lift", items=allowed, exhaustive=True)
    assert found.item_id.tolist() == expected.item_id.tolist()


def test_what_is_seen_or_not_wanted_is_left_out_and_counts_as_no_rating(predictor):
    plain = recommend(predictor, ratings=MINE, exhaustive=True, k=13)
    left = recommend(predictor, ratings=MINE, exhaustive=True, exclude=[*plain.item_id[:3], "f999"])
    assert left.item_id.tolist() == plain.item_id[3:].tolist()
    assert left.score.tolist() == plain.score[3:].tolist()
    short = recommend(predictor, ratings=MINE, items=plain.item_id[:3], exclude=plain.item_id[0])
    assert "2 that are not excluded" in short.attrs["reason"]


@pytest.mark.parametrize("bottom", [False, True])
def test_a_diverse_list_begins_with_the_best_and_gives_up_score(predictor, bottom):
    plain = recommend(predictor, ratings=MINE, exhaustive=True, bottom=bottom)
    mixed = recommend(predictor, ratings=MINE, exhaustive=True, bottom=bottom, diversity=0.7)
    assert mixed.item_id[0] == plain.item_id[0]
    assert mixed.item_id.nunique() == 10
    assert mixed.item_id.tolist() != plain.item_id.tolist()
    sums = [predictor.scale.clip(frame.score).sum() for frame in (plain, mixed)]
    assert (sums[1] >= sums[0]) if bottom else (sums[1] <= sums[0])  # equal if all are clipped

    def doubles(frame):
        alike = likeness(predictor.graph, predictor.info, predictor.items.encode(frame.item_id))
        return alike.sum()

    assert doubles(mixed) < doubles(plain)
    wide = recommend(predictor, ratings=MINE, exhaustive=True, k=50)
    assert bottom or set(mixed.item_id) <= set(wide.item_id)


@pytest.mark.parametrize("setting", [{"order": "fame"}, {"diversity": 1.5}, {"diversity": -0.1}])
def test_orders_and_diversities_that_do_not_exist_are_refused(predictor, setting):
    with pytest.raises(ConfigError):
        recommend(predictor, ratings=MINE, **setting)
