import dataclasses
import shutil

import numpy as np
import pytest

from igmc.config import ListConfig
from igmc.errors import ConfigError
from igmc.inference import relevance
from igmc.inference.lists import ListRequest, list_items, recommend_all
from igmc.inference.lists.recommend import recommend
from igmc.inference.lists.relevant import settled_order
from igmc.inference.predictor import Predictor
from igmc.inference.relevance import RANKER_FILE, RunRelevance, standardized
from tests.inference.lists.demo import MINE


@pytest.fixture(scope="module")
def ranked(demo_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranked") / "run"
    shutil.copytree(demo_run, folder)
    return Predictor.from_run(folder, device="cpu")


def worth(ranked):
    view = ranked.with_user(MINE)
    scores = ranked.relevance.get(ranked.scorer).of_user(view.graph, view.user, ranked.scale.values)
    scores[view.rated] = -np.inf
    return scores


def test_other_orders_are_as_without_a_ranker(ranked, predictor):
    before = recommend(predictor, ratings=MINE, k=5, order="score")
    ranked.relevance.get(ranked.scorer)
    assert "relevance" not in before
    assert recommend(ranked, ratings=MINE, k=5, order="score").equals(before)
    assert recommend(ranked, ratings=MINE, k=5, bottom=True)["score"].is_monotonic_increasing


def test_by_relevance_the_most_relevant_are_listed_with_their_predicted_ratings(ranked):
    scores = worth(ranked)
    best = np.argsort(-scores, kind="stable")[:7]
    frame = recommend(ranked, ratings=MINE, k=7, order="relevance")
    assert frame["item_id"].tolist() == ranked.items.decode(best)
    assert frame["relevance"].to_numpy() == pytest.approx(scores[best])
    asked = ranked.score_user(MINE, frame["item_id"].tolist())
    assert frame["score"].to_numpy() == pytest.approx(asked["score"].to_numpy())


def test_the_blend_weighs_both_over_the_candidates(ranked):
    scores, weight = worth(ranked), ranked.relevance.get(ranked.scorer).weight
    candidates = np.argsort(-scores, kind="stable")[:20]
    rating = ranked.score_user(MINE, ranked.items.decode(candidates), clip=False)["score"].to_numpy()
    value = standardized(scores[candidates]) + weight * standardized(rating)
    best = candidates[np.argsort(-value, kind="stable")[:6]]
    frame = recommend(ranked, ratings=MINE, k=6, order="blend", candidates=20)
    assert frame["item_id"].tolist() == ranked.items.decode(best)


def test_filters_hold_and_a_lowest_score_goes_on_to_further_items(ranked):
    frame = recommend(ranked, ratings=MINE, k=8, order="relevance")
    floor = float(frame["score"].median())
    above = recommend(ranked, ratings=MINE, k=8, order="relevance", min_score=floor)
    assert len(above) == 8
    assert (above["score"] >= np.float32(floor)).all()
    assert above["relevance"].is_monotonic_decreasing
    only = recommend(ranked, ratings=MINE, k=8, order="blend", items=frame["item_id"].tolist()[:3])
    assert sorted(only["item_id"]) == sorted(frame["item_id"][:3])
    assert only.attrs["reason"]


def test_lists_of_all_users_are_by_relevance_too(ranked, tmp_path):
    request = ListRequest(ratings={}, config=ListConfig(order="relevance"))
    ranked.relevance.get(ranked.scorer)
    users = list(ranked.users.ids[:3])
    recommend_all(ranked, tmp_path / "lists.csv", request, users=users, progress=False)
    header, first, *_ = (tmp_path / "lists.csv").read_text().splitlines()
    assert "relevance" in header.split(",")
    expected = recommend(ranked, user_id=users[0], k=1, order="relevance")["item_id"][0]
    assert str(expected) in first.split(",")


def test_what_has_no_ranker_and_the_worst_by_relevance_are_refused(ranked, predictor):
    import dataclasses

    with pytest.raises(ConfigError, match="bottom lists are ordered by predicted rating"):
        recommend(ranked, ratings=MINE, order="relevance", bottom=True)
    bare = dataclasses.replace(predictor, relevance=None)
    with pytest.raises(ConfigError, match="has no ranker"):
        recommend(bare, ratings=MINE, order="blend")
    assert len(recommend(bare, ratings=MINE)) == 10


def test_auto_is_the_blend_where_that_is_soon_told_and_nothing_speaks_for_scores(ranked, monkeypatch):
    by = {order: recommend(ranked, ratings=MINE, order=order) for order in ("auto", "blend", "score")}
    assert by["auto"].equals(by["blend"])
    assert by["auto"].item_id.tolist() != by["score"].item_id.tolist()
    for setting in ({"bottom": True}, {"exhaustive": True}):
        assert "relevance" not in recommend(ranked, ratings=MINE, **setting)
    bare = dataclasses.replace(ranked, relevance=None)
    assert recommend(bare, ratings=MINE).equals(by["score"])


@pytest.mark.parametrize(
    ("setting", "scored"),
    [
        ({"order": "blend"}, 50),
        ({"order": "blend", "k": 40}, 80),
        ({"order": "relevance"}, 50),
        ({"order": "score"}, 200),
        ({"order": "blend", "candidates": 30}, 30),
        ({"order": "score", "candidates": 30}, 30),
    ],
)
def test_a_blend_scores_as_many_candidates_as_its_weight_was_chosen_on_and_twice_its_length(
    ranked, setting, scored
):
    assert list_items(ranked, ListRequest(ratings=MINE, config=ListConfig(**setting))).scored == scored
    assert ListConfig(gems=True, **setting).to_score == setting.get("candidates", 200)  # by lift


@pytest.mark.parametrize(("most", "trained"), [(10**6, True), (10, False)])
def test_auto_trains_a_ranker_on_few_ratings_alone(ranked, tmp_path, monkeypatch, most, trained):
    asked = RunRelevance(tmp_path, ranked.relevance._split, "fixed", 1)
    monkeypatch.setattr(relevance, "MOST_RATINGS", most)
    assert asked.trains_soon == trained
    found = settled_order(dataclasses.replace(ranked, relevance=asked), ListConfig())
    assert found.order == ("blend" if trained else "score")
    (tmp_path / RANKER_FILE).touch()
    assert settled_order(dataclasses.replace(ranked, relevance=asked), ListConfig()).order == "blend"


def test_nobody_with_two_ratings_gives_no_ranker(ranked, tmp_path):
    split = ranked.relevance._split
    _, first = np.unique(split.table.user[split.train], return_index=True)
    thin = dataclasses.replace(split, train=split.train[first], validation=split.validation[:0])
    assert not RunRelevance(tmp_path, thin, "fixed", 1).trains_soon


@pytest.mark.parametrize("order", ["blend", "relevance"])
def test_what_the_user_would_not_like_comes_last(ranked, order, monkeypatch):
    monkeypatch.setattr(relevance, "BELOW_MEAN", 0.05)  # predictions after brief training differ by little
    marks = {item: 5 - 4 * (at % 2) for at, item in enumerate(ranked.items.ids[:8])}
    view = ranked.with_user(marks)
    mean = float(ranked.graph.level_counts @ ranked.scale.values) / ranked.graph.n_ratings
    lowest = (sum(marks.values()) + 5 * mean) / 13 - 0.05 * 4
    whole = recommend(ranked, ratings=marks, k=25, order=order, candidates=25)
    scores = ranked.relevance.get(ranked.scorer).of_user(view.graph, view.user, ranked.scale.values)
    scores[view.rated] = -np.inf
    assert set(whole.item_id) == set(ranked.items.decode(np.argsort(-scores, kind="stable")[:25]))
    disliked = (whole.score < lowest).to_numpy()
    assert 0 < disliked.sum() < 25
    assert (np.diff(disliked.astype(int)) >= 0).all()
    if order == "relevance":
        assert not whole.relevance.is_monotonic_decreasing
        for some in (disliked, ~disliked):
            assert whole.relevance[some].is_monotonic_decreasing
