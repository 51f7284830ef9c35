"""A view is one user with what he or she has rated; it scores by raw ids and by indices alike."""

import numpy as np


def test_it_knows_what_the_user_has_rated(predictor):
    view = predictor.with_user({"f002": 1, "f001": 5})
    assert view.rated.tolist() == [0, 1]
    assert predictor.graph.n_users == view.user
    assert set(predictor.with_user({"f001": 5}, 7).rated) >= set(predictor.graph.by_user.row(6)[0])
    assert predictor.with_user({}).rated.tolist() == []


def test_new_items_among_the_ratings_have_indices_beyond_the_known_ones(predictor):
    known = len(predictor.items)
    view = predictor.with_user({"z": 5, "f001": 4, 12: 3})
    assert view.rated.tolist() == [0, known, known + 1]
    assert view.items.encode(["z", 12, "f001", "never"]).tolist() == [known + 1, known, 0, -1]
    assert view.graph.n_items == known + 2
    assert predictor.graph.n_items == known


def test_scores_by_raw_ids_are_those_by_indices(predictor):
    view = predictor.with_user({"f001": 5, "f002": 1, "z": 4})
    asked = ["f010", "z", "never", "f200"]
    frame = view.score(iter(asked))
    score, source, *_ = view.score_indices(view.items.encode(asked))
    assert list(frame) == ["item_id", "score", "source"]
    assert frame.item_id.tolist() == asked
    assert frame.score.tolist() == score.tolist()
    assert frame.source.tolist() == source.tolist() == ["model", "user mean", "user mean", "model"]


def test_of_no_items_there_are_no_scores(predictor):
    score, source, *_ = predictor.with_user({"f001": 5}).score_indices(np.empty(0, np.int32))
    assert (score.shape, source.shape) == ((0,), (0,))
