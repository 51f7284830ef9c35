"""A run that predicts: as its report did, for newcomers as after a rebuild, for many threads as for one."""

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from igmc.config import DataConfig, RunConfig
from igmc.errors import CheckpointError, ConfigError, DataError
from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.serving import ServingGraph
from igmc.inference.lists import recommend
from igmc.inference.predictor import Predictor, predict
from igmc.inference.why import explain
from igmc.ratings.ids import IdTable
from igmc.ratings.load import load_dataset
from igmc.ratings.split import Split, make_split
from igmc.run import train
from tests.conftest import SMALL_RUN
from tests.edits import edited

RATINGS = {"f001": 5, "f002": 1, "f003": 4, "f017": 5, "f100": 2}
ITEMS = ["f004", "f001", "f200", "f250", "f050"]


def known_ratings(predictor) -> pd.DataFrame:
    """All that a predictor knows, with raw ids."""
    graph = predictor.graph.rebuilt()
    user = np.repeat(np.arange(graph.n_users), np.diff(graph.user_ptr))
    return pd.DataFrame(
        {
            "user_id": predictor.users.decode(user),
            "item_id": predictor.items.decode(graph.user_items),
            "rating": predictor.scale.decode(graph.user_levels),
        }
    )


def same_weights(one, other) -> bool:
    states = one.state_dict(), other.state_dict()
    return all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def rebuilt(predictor, new, users, items) -> Predictor:
    """The predictor as it would be, had its graph been made of the known and the new ratings at once."""
    both = pd.concat([known_ratings(predictor), pd.DataFrame(new)])
    both = both.drop_duplicates(["user_id", "item_id"], keep="last")
    users, items = IdTable((*predictor.users.ids, *users)), IdTable((*predictor.items.ids, *items))
    graph = BipartiteGraph.from_ratings(
        users.encode(both.user_id.tolist()),
        items.encode(both.item_id.tolist()),
        predictor.scale.encode(both.rating),
        n_users=len(users),
        n_items=len(items),
        n_levels=len(predictor.scale),
    )
    return replace(predictor, users=users, items=items, graph=ServingGraph.of(graph))


def columns(user_id, ratings):
    return {"user_id": [user_id] * len(ratings), "item_id": list(ratings), "rating": list(ratings.values())}


@pytest.mark.parametrize("checkpoints", ["ensemble", "single"])
def test_the_test_part_is_answered_as_the_run_did(demo_run, checkpoints):
    frame = pd.read_csv(demo_run / "predictions.csv.gz")
    predictor = Predictor.from_run(demo_run, checkpoints=checkpoints, device="cpu")
    predicted = predictor.predict(frame.user_id, frame.item_id, clip=False)
    assert list(predicted) == ["user_id", "item_id", "score", "source"]
    assert (predicted.source == "model").all()
    assert predicted.score.dtype == np.float32
    assert predicted.score.tolist() == frame[checkpoints].astype(np.float32).tolist()
    pd.testing.assert_frame_equal(predicted[["user_id", "item_id"]], frame[["user_id", "item_id"]])


@pytest.mark.parametrize("workers", [1, None])
def test_models_run_in_as_many_threads_as_asked(demo_run, workers):
    predictor = Predictor.from_run(demo_run, device="cpu", workers=workers)
    assert [model.threads for model in predictor.scorer.models] == [workers, workers]


def test_the_graph_is_of_training_and_validation_ratings(predictor):
    split = make_split(load_dataset("demo"), DataConfig("demo"), seed=1)
    assert predictor.graph.n_ratings == len(split.train) + len(split.validation)
    known = set(zip(known_ratings(predictor).user_id, known_ratings(predictor).item_id, strict=True))
    table = split.table
    for row in split.test:
        assert (table.users.ids[table.user[row]], table.items.ids[table.item[row]]) not in known


def test_an_epoch_may_be_chosen(demo_run, predictor):
    epochs = json.loads((demo_run / "metrics.json").read_text())["ensemble_epochs"]
    assert predictor.epochs == tuple(epochs)
    single = [Predictor.from_run(demo_run, checkpoints=epoch, device="cpu") for epoch in epochs]
    for one, model in zip(single, predictor.scorer.models, strict=True):
        assert same_weights(one.scorer.models[0], model)
    assert not same_weights(*predictor.scorer.models)
    asked = [5, 6], ["f001", "f002"]
    alone = [replace(predictor, scorer=predictor.scorer.only(k)) for k in range(len(epochs))]
    scores = [one.predict(*asked, clip=False).score.to_numpy() for one in alone]
    assert np.array_equal(np.mean(scores, axis=0), predictor.predict(*asked, clip=False).score)
    frame = pd.read_csv(demo_run / "predictions.csv.gz")
    asked = frame.user_id, frame.item_id
    assert np.allclose(single[0].predict(*asked, clip=False).score, frame.single, rtol=0, atol=2e-6)


def test_a_run_under_way_answers(demo_run, tmp_path):
    folder = shutil.copytree(demo_run, tmp_path / "run")
    (folder / "metrics.json").unlink()
    assert len(Predictor.from_run(folder, device="cpu").epochs) == 1


def test_scores_are_clipped_unless_told_not_to(predictor):
    biased = replace(predictor)  # the models are shared, so the bias goes back afterwards
    model = predictor.scorer.models[0]
    before = model.lin2.bias.detach().clone()
    try:
        model.lin2.bias.data += 20
        for call in (
            lambda clip: biased.predict([1], ["f001"], clip=clip).score[0],
            lambda clip: biased.predict_indices([0], [0], clip=clip).score[0],
            lambda clip: biased.score_user(RATINGS, ["f004"], clip=clip).score[0],
            lambda clip: predict(biased, RATINGS, ["f004"], clip=clip).score[0],
        ):
            assert call(True) == 5.0
            assert call(False) > 8
    finally:
        model.lin2.bias.data = before


@pytest.mark.parametrize("user_id", [None, 7, 999, "someone"])
@pytest.mark.parametrize(
    "ratings",
    [RATINGS, {"f001": 3}, {**RATINGS, "new film": 5, 12: 1}],
    ids=["five ratings", "one", "with items unknown"],
)
def test_a_users_ratings_count_as_after_a_rebuild(predictor, user_id, ratings):
    known = user_id == 7
    name = "newcomer" if user_id is None else user_id
    whole = rebuilt(
        predictor,
        columns(name, ratings),
        [] if known else [name],
        [raw for raw in (12, "new film") if raw in ratings],
    )
    asked = [*ITEMS, "new film", "never heard of"]
    predicted = predictor.with_user(ratings, user_id).score(asked, clip=False)
    expected = whole.predict([name] * len(asked), asked, clip=False)
    assert predicted.item_id.tolist() == asked
    assert predicted.score.tolist() == expected.score.tolist()
    assert predicted.source.tolist() == expected.source.tolist()
    assert predicted.source.tolist()[-1] == "user mean"
    if len(ratings) > 1 or known:
        assert predicted.source.tolist()[: len(ITEMS)] == ["model"] * len(ITEMS)
    before = predictor.predict([7] * len(ITEMS), ITEMS, clip=False).score.tolist()
    assert predicted.score.tolist()[: len(ITEMS)] != before, "the ratings made a difference"


def test_two_hops_too(tmp_path):
    settings = {**SMALL_RUN, "extract": {"hops": 2, "max_nodes_per_hop": 5}, "train": {"epochs": 1}}
    settings["data"] = {"dataset": "demo", "keep_ratio": 0.1}
    train(RunConfig.from_dict(settings), out=tmp_path / "run", device="cpu", progress=False)
    predictor = Predictor.from_run(tmp_path / "run", device="cpu")
    whole = rebuilt(predictor, columns("me", RATINGS), ["me"], [])
    expected = whole.predict(["me"] * len(ITEMS), ITEMS)
    assert predictor.score_user(RATINGS, ITEMS).score.tolist() == expected.score.tolist()


def test_the_rating_of_the_item_that_is_asked_is_not_looked_at(predictor):
    scores = [
        predictor.score_user({**RATINGS, "f004": rating}, ["f004"]).score[0] for rating in (1, 2, 3, 4, 5)
    ]
    assert len(set(scores)) == 1


def test_neither_the_order_of_ratings_and_items_nor_their_number_counts(predictor):
    # More ratings than the cap of 20 lets into a subgraph, so that some are drawn.
    ratings = {f"f{k:03}": 1 + k % 5 for k in range(60, 90)} | dict.fromkeys(("z", "y", 12, "x", 3), 5)
    predicted = predictor.with_user(ratings).score(ITEMS).set_index("item_id")
    turned = predictor.with_user(dict(reversed(ratings.items()))).score(ITEMS[::-1]).set_index("item_id")
    pd.testing.assert_frame_equal(predicted, turned.loc[ITEMS])
    for item in ITEMS:
        assert predictor.with_user(ratings).score([item]).score[0] == predicted.score[item]


def test_without_ratings_all_are_means_and_say_so(predictor):
    predicted = predictor.score_user({}, ["f001", "nobody knows"])
    assert predicted.source.tolist() == ["item mean", "global mean"]
    assert predicted.score.between(1, 5).all()


def test_one_id_is_asked_as_one(predictor):
    assert len(predictor.score_user({"f001": 5}, "f003")) == 1
    assert predictor.predict(1, ITEMS).equals(predictor.predict([1] * len(ITEMS), ITEMS))
    assert predictor.predict([1, 2], "f001").user_id.tolist() == [1, 2]


def test_a_rated_item_that_nobody_knows_is_refused(predictor):
    with pytest.raises(DataError, match=r"the run does not know a rated item; got 'f0001'.*did you mean"):
        predictor.score_user({"f0001": 5}, "f003")


def test_lists_explanations_and_similar_items_are_methods(predictor):
    ratings = {"f001": 5, "f002": 1}
    listed = predictor.recommend(ratings=ratings, k=3, genre="Drama")
    assert listed["rank"].tolist() == [1, 2, 3]
    assert listed.equals(recommend(predictor, ratings=ratings, k=3, genre="Drama"))
    assert predictor.explain(None, "f003", ratings=ratings) == explain(
        predictor, None, "f003", ratings=ratings
    )
    assert predictor.similar_items("f001", 2)["rank"].tolist() == [1, 2]
    with pytest.raises(DataError, match="this item is unknown; got 'f999'"):
        predictor.similar_items("f999")


def test_it_shows_itself_in_a_line(predictor):
    assert re.fullmatch(r"Predictor\(rgcn on demo: knows .* ratings, 300 users, 250 items\)", repr(predictor))


def test_unknown_ids_are_answered_and_flagged(predictor):
    predicted = predictor.predict([1, 9999, 1, 9999, "1"], ["f001", "f001", "f999", "f999", "f001"])
    assert predicted.source.tolist() == ["model", "item mean", "user mean", "global mean", "item mean"]
    assert predicted.score.between(1, 5).all()


def test_dense_indices_give_the_same_and_can_do_without_means(predictor):
    by_id = predictor.predict([1, 2], ["f001", "f002"])
    score, source, *_ = predictor.predict_indices([0, 1], np.array([0, 1], np.uint8))
    assert score.tolist() == by_id.score.tolist()
    assert source.tolist() == ["model", "model"]
    bare = replace(predictor, graph=predictor.graph.with_ratings([], [], [], n_users=301))
    for fallback, expected in ((True, "item mean"), (False, "model")):
        assert bare.predict_indices([300], [0], fallback=fallback).source.tolist() == [expected]


def test_added_ratings_count_as_after_a_rebuild_and_go_to_the_new_predictor_only(predictor):
    new = {
        "user_id": ["b", "a", "a", 3, 3, "b"],
        "item_id": ["f001", "f001", "new", "new", "f002", "f003"],
        "rating": [5, 1, 4, 3, 2, 2],
    }
    before = predictor.predict([3] * 5, ITEMS)
    grown = predictor.add_ratings(pd.DataFrame(new))
    whole = rebuilt(predictor, new, ["a", "b"], ["new"])
    users, items = ["a", "b", 3, 1] * 3, ["f001"] * 4 + ["new"] * 4 + ["f100"] * 4
    left, right = grown.predict(users, items), whole.predict(users, items)
    pd.testing.assert_frame_equal(left, right)
    assert "model" in set(left.source[left.user_id == "a"])
    pd.testing.assert_frame_equal(predictor.predict([3] * 5, ITEMS), before)
    assert predictor.predict(["a"], ["f001"]).source.tolist() == ["item mean"]
    again = grown.add_ratings({"user_id": ["a"], "item_id": ["f050"], "rating": [1]})
    assert again.graph.n_ratings == grown.graph.n_ratings + 1


def test_many_added_ratings_are_sorted_anew(predictor):
    users = [user for user in range(1000, 1100) for _ in range(40)]
    items = [f"f{1 + (k * 7) % 250:03}" for k in range(len(users))]
    new = {"user_id": users, "item_id": items, "rating": [1 + k % 5 for k in range(len(users))]}
    grown = predictor.add_ratings(new)
    assert grown.graph.n_patched == 0
    pairs = ([1050] * 5, ITEMS)
    pd.testing.assert_frame_equal(
        grown.predict(*pairs), rebuilt(predictor, new, range(1000, 1100), []).predict(*pairs)
    )


def test_threads_never_see_one_another(predictor):
    rng = np.random.default_rng(0)
    films = np.array(predictor.items.ids)
    calls = [
        (
            {str(f): int(rng.integers(1, 6)) for f in rng.choice(films, 8, replace=False)},
            list(films[k : k + 60]),
        )
        for k in range(40)
    ]
    alone = [predictor.score_user(*call).score.tolist() for call in calls]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda call: predictor.score_user(*call).score.tolist(), calls))
    assert together == alone


def test_the_plain_function_takes_a_folder_or_a_predictor(demo_run, predictor):
    expected = predictor.score_user(RATINGS, ITEMS)
    pd.testing.assert_frame_equal(predict(demo_run, RATINGS, ITEMS), expected)
    pd.testing.assert_frame_equal(predict(predictor, RATINGS, ITEMS), expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: p.score_user({"f001": 6}, ["f002"]), "not on the scale; got 6; allowed: 1, 2, 3, 4, 5"),
        (lambda p: p.score_user({"f001": "5"}, ["f002"]), "a rating is not a number; got '5'"),
        (lambda p: p.score_user({1.5: 5}, ["f002"]), "an id is neither an integer nor a string; got 1.5"),
        (lambda p: p.score_user({}, [None]), "an id is neither an integer nor a string"),
        (lambda p: p.predict([1], ["f001", "f002"]), "differ in length; got {'users': 1, 'items': 2}"),
        (
            lambda p: p.predict_indices([300], [0]),
            r"a user index is out of range; got 300; allowed: 0\.\.299",
        ),
        (lambda p: p.predict_indices([0], [-1]), "item index is out of range; got -1"),
        (lambda p: p.predict_indices([0], [0, 1]), "differ in length"),
        (lambda p: p.predict_indices([0.5], [0]), "user indices are not whole numbers"),
        (
            lambda p: p.add_ratings({"user_id": [1], "rating": [1]}),
            "missing; got 'item_id'; allowed: user_id,",
        ),
        (lambda p: p.add_ratings(columns("x", {"f001": 9})), "not on the scale; got 9"),
        (
            lambda p: p.add_ratings({"user_id": ["x", "x"], "item_id": ["y", "y"], "rating": [1, 2]}),
            "user 'x' rates item 'y' twice; allowed: each",
        ),
        (
            lambda p: p.add_ratings({"user_id": ["x"], "item_id": ["y", "y"], "rating": [1, 2]}),
            "differ in length",
        ),
    ],
)
def test_what_cannot_be_answered(predictor, call, message):
    with pytest.raises(DataError, match=message):
        call(predictor)


def test_side_features_come_from_the_data_of_the_run(tmp_path, monkeypatch):
    settings = {**SMALL_RUN, "train": {"epochs": 1, "batch_size": 200}}
    settings["model"] = {**SMALL_RUN["model"], "side_features": True}
    report = train(RunConfig.from_dict(settings), out=tmp_path / "run", device="cpu", progress=False)
    predictor = Predictor.from_run(report.folder, device="cpu")
    frame = pd.read_csv(tmp_path / "run" / "predictions.csv.gz")
    predicted = predictor.predict(frame.user_id, frame.item_id, clip=False)
    assert predicted.score.tolist() == frame["ensemble"].astype(np.float32).tolist()
    assert predictor.with_user({**RATINGS, "new": 3}).score(ITEMS).source.tolist() == ["model"] * 5
    with edited(tmp_path / "run" / "config.json") as found:
        found["data_digest"] = "0" * 64
    with pytest.raises(DataError, match="demo has changed since the run was trained"):
        Predictor.from_run(report.folder, device="cpu")


def test_what_is_no_run(demo_run, tmp_path):
    with pytest.raises(CheckpointError, match="is not a run folder"):
        Predictor.from_run(tmp_path, device="cpu")
    with pytest.raises(ConfigError, match="unknown device"):
        Predictor.from_run(demo_run, device="tpu")
    folder = shutil.copytree(demo_run, tmp_path / "run")
    split = Split.load(folder / "split.npz")
    replace(split, seed=2).save(folder / "split.npz")
    with pytest.raises(CheckpointError, match=r"split\.npz is not the split of this run"):
        Predictor.from_run(folder, device="cpu")
    (folder / "config.json").write_text('{"format": 99, "config": {}}')
    with pytest.raises(CheckpointError, match="is damaged, or of another version of igmc; got 99"):
        Predictor.from_run(folder, device="cpu")
