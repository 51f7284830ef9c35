"""Lists of items: what is in them, in which order, what is left out and why; titles from the run folder."""

import csv
import dataclasses
import gzip
import itertools
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import igmc.run
from igmc.config import ListConfig, RunConfig
from igmc.errors import CheckpointError, ConfigError, DataError, IgmcError
from igmc.graph.serving import ServingGraph
from igmc.inference import scoring
from igmc.inference.encoding import near_ids
from igmc.inference.item_info import ITEMS_FILE, ItemInfo
from igmc.inference.lists.candidates import candidate_order
from igmc.inference.lists.recommend import list_items, recommend
from igmc.inference.lists.recommend_all import recommend_all
from igmc.inference.lists.request import ListRequest
from igmc.inference.predictor import Predictor
from igmc.ratings.ids import IdTable
from igmc.ratings.load import load_dataset
from tests.conftest import SMALL_RUN

MINE = {"f001": 5, "f002": 1, "f003": 4, "f017": 5, "f100": 2}
INFO = load_dataset("demo").item_info.assign(item=load_dataset("demo").table.items.ids).set_index("item")


class Fake:
    """A scorer that gives each item what it is told, and remembers what it was asked."""

    def __init__(self, scores):
        self.scores, self.asked = np.asarray(scores, np.float32), []

    def score(self, graph: ServingGraph, user, item, *, deadline):
        self.asked += item.tolist()
        return self.scores[item][None]


@pytest.fixture
def fake(predictor):
    """Makes a predictor with such a scorer."""

    def make(scores):
        scorer = Fake(np.broadcast_to(scores, len(predictor.items)))
        return dataclasses.replace(predictor, scorer=scorer), scorer

    return make


def unseen(predictor, ratings=MINE, user_id=None):
    rated = predictor.with_user(ratings, user_id).rated
    return [raw for k, raw in enumerate(predictor.items.ids) if k not in set(rated.tolist())]


def by_hand(predictor, ratings, items, *, bottom=False):
    """All of the items, scored one request each, best first."""
    answers = predictor.score_user(ratings, items, clip=False)
    return answers.sort_values("score", ascending=bottom, kind="stable").reset_index(drop=True)


@pytest.mark.parametrize("bottom", [False, True])
def test_exhaustive_lists_are_the_best_and_the_worst_of_all(predictor, bottom):
    found = recommend(predictor, ratings=MINE, exhaustive=True, bottom=bottom)
    expected = by_hand(predictor, MINE, unseen(predictor), bottom=bottom)[:10]
    assert list(found) == ["user", "item", "score", "rank", "title", "genres", "year", "source"]
    assert found.item.tolist() == expected.item_id.tolist()
    assert found.score.tolist() == expected.score.clip(1, 5).tolist()
    assert found["rank"].tolist() == list(range(1, 11))
    assert found.user.isna().all()
    assert found.score.dtype == np.float32
    assert found.attrs["reason"] == ""
    assert found.title.tolist() == INFO.title[found.item].tolist()
    assert found.genres.tolist() == INFO.genres[found.item].tolist()
    assert found.year.tolist() == INFO.year[found.item].tolist()


@pytest.mark.parametrize("bottom", [False, True])
def test_two_stages_list_the_best_of_the_candidates(predictor, bottom):
    view = predictor.with_user(MINE)
    mask = np.ones(len(predictor.items), bool)
    mask[view.rated] = False
    order = candidate_order(view.graph, view.user, mask, predictor.scale.values, budget=10**9, bottom=bottom)
    candidates = predictor.items.decode(np.sort(order[:30]))
    expected = by_hand(predictor, MINE, candidates, bottom=bottom).item_id[:10]
    found = recommend(predictor, ratings=MINE, candidates=30, bottom=bottom)
    assert found.item.tolist() == expected.tolist()
    assert (
        found.item.tolist() != recommend(predictor, ratings=MINE, candidates=10, bottom=bottom).item.tolist()
    )


def test_a_known_users_items_are_hidden_and_new_ratings_come_on_top(predictor):
    known = predictor.items.decode(predictor.with_user({}, 3).rated)
    everything = recommend(predictor, user_id=3, k=1000)
    assert sorted(everything.item) == sorted(set(predictor.items.ids) - set(known))
    assert set(everything.user) == {3}
    extra = everything.item[0]
    more = recommend(predictor, user_id=3, ratings={extra: 1}, k=1000)
    assert sorted(more.item) == sorted(set(everything.item) - {extra})
    assert more.score.tolist() != everything.score[1:].tolist()
    named = recommend(predictor, user_id="newcomer", ratings=MINE)
    assert set(named.user) == {"newcomer"}
    assert named.item.tolist() == recommend(predictor, ratings=MINE).item.tolist()


def test_filters_come_before_the_choice_of_candidates(predictor):
    """Exactly k items whenever k pass the filters, however few the candidates; each of them passes."""
    rng = np.random.default_rng(0)
    genres = sorted(set("|".join(INFO.genres).split("|")))
    for _ in range(25):
        wanted = rng.choice(genres, rng.integers(0, 3), replace=False).tolist()
        unwanted = rng.choice(genres, rng.integers(0, 3), replace=False).tolist()
        first, last = (int(year) for year in np.sort(rng.integers(1960, 2015, 2)))
        allowed = rng.choice(predictor.items.ids, 150, replace=False).tolist()
        k = int(rng.integers(1, 40))
        passing = [
            raw
            for raw in unseen(predictor)
            if raw in allowed
            and first <= INFO.year[raw] <= last
            and (not wanted or set(wanted) & set(INFO.genres[raw].split("|")))
            and not set(unwanted) & set(INFO.genres[raw].split("|"))
        ]
        found = recommend(
            predictor,
            ratings=MINE,
            k=k,
            genre=[name.upper() for name in wanted],
            exclude_genre=unwanted,
            years=(first, last),
            items=[*allowed, "never heard of"],
            candidates=1,
        )
        assert len(found) == min(k, len(passing))
        assert set(found.item) <= set(passing)
        assert found.item.is_unique
        assert (found.attrs["reason"] == "") == (len(passing) >= k)
        assert found.score.is_monotonic_decreasing


def test_open_ranges_of_years_and_one_genre_as_a_text(predictor):
    late = recommend(predictor, ratings=MINE, years=(2010, None), k=250).year
    early = recommend(predictor, ratings=MINE, years=(None, 1970), k=250).year
    assert (late.min(), early.max()) == (2010, 1970)
    assert recommend(predictor, ratings=MINE, genre="Western").genres.str.contains("Western").all()


def test_min_score_widens_the_candidates_until_there_are_k(fake):
    scores = np.full(250, 2.0)
    scores[[200, 210, 220]] = 4.5
    predictor, scorer = fake(scores)
    found = recommend(predictor, user_id=3, k=3, min_score=4, candidates=5)
    good = [raw for raw in ("f201", "f211", "f221") if raw in unseen(predictor, {}, 3)]
    assert found.item.tolist() == good[:3]
    assert len(scorer.asked) == len(set(scorer.asked)), "no pair is asked twice"
    predictor, scorer = fake(scores)
    found = recommend(predictor, user_id=3, k=10, min_score=4, candidates=5)
    assert found.item.tolist() == good
    assert len(scorer.asked) == len(unseen(predictor, {}, 3))
    assert f"only {len(good)} items are left" in found.attrs["reason"]
    assert found.attrs["reason"].endswith(f"{len(good)} predicted to get 4 or more")
    predictor, scorer = fake(scores)
    recommend(predictor, user_id=3, k=3, candidates=5)
    assert len(scorer.asked) == 5


def test_equal_predictions_stand_in_the_order_of_items_and_the_scale_makes_no_equals(fake):
    predictor, _ = fake(3.0)
    ids = unseen(predictor, {}, 3)
    for bottom in (False, True):
        found = recommend(predictor, user_id=3, exhaustive=True, bottom=bottom)
        assert found.item.tolist() == ids[:10]
    above = np.linspace(5.1, 6.0, 250)
    predictor, _ = fake(above)
    found = recommend(predictor, user_id=3, exhaustive=True)
    assert found.item.tolist() == ids[::-1][:10]
    assert found.score.tolist() == [5.0] * 10


def test_an_empty_list_says_why(predictor):
    found = recommend(predictor, ratings=MINE, years=(1800, 1810))
    assert len(found) == 0
    assert list(found) == ["user", "item", "score", "rank", "title", "genres", "year", "source"]
    reason = "no item is left: of 250 items, 0 of 1800-1810, 0 not rated by the user"
    assert found.attrs["reason"] == reason
    assert recommend(predictor, ratings=MINE, items="f200").item.tolist() == ["f200"]  # no list of letters
    assert recommend(predictor, ratings=MINE, items=["x"]).attrs["reason"] == (
        "no item is left: of 250 items, 0 of the 1 allowed, 0 not rated by the user"
    )
    everything = dict.fromkeys(predictor.items.ids, 3)
    assert "0 not rated by the user" in recommend(predictor, ratings=everything).attrs["reason"]


def test_someone_without_ratings_gets_what_others_like_flagged(predictor):
    found = recommend(predictor, ratings={})
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
        ({}, ConfigError, "nobody is named to recommend for"),
        ({"user_id": 301}, DataError, r"no such user; got 301; to mend it: ids are 1\.\.300; or give the ra"),
        ({"user_id": "3"}, DataError, r"no such user; got '3'; .*did you mean 3 \(a number\)\?"),
        (
            {"ratings": {"f01": 5}},
            DataError,
            r"a rated item is not known to the run; got 'f01'.*did you mean 'f\d",
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
        ({"user_id": 1, "years": (1990, 1980)}, ConfigError, r"years are no range; got \(1990, 1980\)"),
        ({"user_id": 1, "years": (1990,)}, ConfigError, "years are no range"),
        ({"user_id": 1, "years": ()}, ConfigError, "years are no range"),
        ({"user_id": 1, "years": ("1990", None)}, ConfigError, "years are no range"),
    ],
)
def test_what_is_wrong_is_said(predictor, wrong, error, message):
    with pytest.raises(error, match=message):
        recommend(predictor, **wrong)


def test_near_ids_are_found_in_large_tables_too():
    table = IdTable(tuple(f"user-{number:06}" for number in range(30_000)))
    assert near_ids(table, "USER-000123").startswith("did you mean 'user-000123' or 'user-")
    assert near_ids(table, "zz") == "ids are such as 'user-000000'"
    for size, near in ((60, True), (61, False)):  # one that is longer takes too long to compare
        found = near_ids(IdTable(("x" * size,)), "x" * (size - 1) + "y")
        assert found.startswith("did you mean") == near
    assert near_ids(IdTable(()), "x") == "there are none"


@pytest.fixture
def copied(demo_run, tmp_path):
    shutil.copytree(demo_run, tmp_path / "run")
    return tmp_path / "run"


def test_a_run_without_titles_answers_and_training_again_notes_them(copied, predictor):
    (copied / ITEMS_FILE).unlink()
    old = Predictor.from_run(copied, device="cpu")
    found = recommend(old, user_id=1)
    assert list(found) == ["user", "item", "score", "rank", "source"]
    assert found.item.tolist() == recommend(predictor, user_id=1).item.tolist()
    for wrong in ({"genre": "Drama"}, {"years": (1990, None)}):
        with pytest.raises(ConfigError, match=r"this run does not know the (genres|years) of its items"):
            recommend(old, user_id=1, **wrong)
    igmc.run.train(RunConfig.from_dict(SMALL_RUN), out=copied, device="cpu", progress=False)
    assert recommend(copied, user_id=1).title.tolist() == recommend(predictor, user_id=1).title.tolist()


def test_titles_of_another_run_or_a_damaged_file_are_refused(copied, predictor):
    content = (copied / ITEMS_FILE).read_bytes()
    for damaged in (content[:-20], b"x", gzip.compress(b"[]"), gzip.compress(b'{"format": 1}')):
        (copied / ITEMS_FILE).write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"items.json.gz cannot be read.*delete items.json.gz"):
            Predictor.from_run(copied, device="cpu")
    ItemInfo(("a",), ("",), (None,)).save(copied, IdTable((1,)))
    with pytest.raises(CheckpointError, match="is not of the items of this run"):
        Predictor.from_run(copied, device="cpu")


def test_what_is_known_of_items_survives_the_file(tmp_path):
    frame = pd.DataFrame({"title": ['Ünï, "x"', ""], "year": pd.array([1999, None], "Int64")})
    items = IdTable((1, "1"))
    ItemInfo.of(frame).save(tmp_path, items)
    info = ItemInfo.load(tmp_path, items)
    assert (info.titles, info.genres, info.years) == (('Ünï, "x"', ""), ("", ""), (1999, None))
    assert info.of_years(None, None).tolist() == [True, False]
    assert ItemInfo.load(tmp_path / "nowhere", items) is None


def test_items_that_came_later_have_no_title_and_no_genre(predictor):
    grown = predictor.add_ratings({"user_id": [1, 2], "item_id": ["new", "new"], "rating": [5, 5]})
    everything = recommend(grown, user_id=3, k=1000).set_index("item")
    assert everything.title["new"] == ""
    assert pd.isna(everything.year["new"])
    assert "new" not in set(recommend(grown, user_id=3, k=1000, years=(1900, 2100)).item)
    assert "new" not in set(recommend(grown, user_id=3, k=1000, genre="Drama").item)


def test_all_users_are_written_as_each_alone(predictor, tmp_path):
    request = ListRequest(ratings={}, genre=("Drama",), config=ListConfig(k=3, candidates=20))
    users = [5, 1, 300]
    written = recommend_all(predictor, tmp_path / "all.csv", request, users=users, progress=False)
    assert written == (3, 9, 0)
    frame = pd.read_csv(tmp_path / "all.csv")
    alone = [recommend(predictor, user_id=user, k=3, genre="Drama", candidates=20) for user in users]
    expected = pd.concat(alone, ignore_index=True)
    assert list(frame) == list(expected)
    assert frame.user.tolist() == expected.user.tolist()
    assert frame.item.tolist() == expected.item.tolist()
    assert frame.score.tolist() == pytest.approx(expected.score.tolist(), abs=6e-5)
    recommend_all(predictor, tmp_path / "all.jsonl", request, users=users, progress=False)
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert [line["user"] for line in lines] == users
    assert [row["item"] for line in lines for row in line["items"]] == expected.item.tolist()
    assert lines[0]["items"][0]["title"] == expected.title[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.csv", "all.jsonl"]


def test_all_users_are_all_users_and_short_lists_are_counted(predictor, tmp_path):
    request = ListRequest(ratings={}, items=frozenset({"f001"}), config=ListConfig(k=1))
    written = recommend_all(predictor, tmp_path / "all.csv", request, progress=False)
    with (tmp_path / "all.csv").open() as file:
        rows = list(csv.reader(file))
    assert written.users == 300
    assert written.items + written.short == 300
    assert len(rows) == 1 + written.items
    empty = ListRequest(ratings={}, items=frozenset({"x"}))
    assert recommend_all(predictor, tmp_path / "none.jsonl", empty, users=[1]) == (1, 0, 1)
    line = json.loads((tmp_path / "none.jsonl").read_text())
    assert line["items"] == []
    assert line["reason"].startswith("no item is left: of 250 items, 0 of the 1 allowed")


def test_a_file_of_all_users_is_there_whole_or_not_at_all(predictor, tmp_path):
    request = ListRequest(ratings={}, config=ListConfig(k=1))
    with pytest.raises(DataError, match="the run knows no such user; got 999"):
        recommend_all(predictor, tmp_path / "all.csv", request, users=[1, 999], progress=False)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ConfigError, match=r"got 'all.txt'; allowed: a name that ends in .csv or .jsonl"):
        recommend_all(predictor, tmp_path / "all.txt", request)
    with pytest.raises(IgmcError, match=r"cannot write .*nowhere"):
        recommend_all(predictor, tmp_path / "nowhere" / "all.csv", request, users=[1])


def test_the_demo_run_is_made_once(monkeypatch, tmp_path):
    small = {name: SMALL_RUN[name] for name in ("extract", "model")} | {"train": {"epochs": 1}}
    monkeypatch.setattr(igmc.run, "paper_settings", lambda name: small)
    folder = igmc.run.demo_run(tmp_path, progress=False)
    assert folder.parent == tmp_path / "demo-run"
    assert (folder / "metrics.json").exists()
    monkeypatch.setattr(igmc.run, "train", None)
    assert igmc.run.demo_run(tmp_path) == folder
    assert len(recommend(folder, ratings=MINE, k=3)) == 3
