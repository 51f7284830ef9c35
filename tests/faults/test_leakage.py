"""No test rating reaches a model: with others in their place, it learns and says the same to the last bit."""

import dataclasses
import hashlib
from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from igmc.evaluation import model_evaluation
from igmc.evaluation.model_spec import ModelSpec
from igmc.evaluation.protocols.registry import make_protocol
from igmc.ratings.scale import KnownScale
from igmc.recommenders.registry import RECOMMENDERS
from tests.evaluation.datasets import make_dataset

pytestmark = pytest.mark.usefixtures("brief_training")

GRAPH = {"epochs": 2, "dim": 8}
SMALL = {
    **dict.fromkeys(("gcn", "gat", "graphsage", "ngcf", "lightgcn"), GRAPH),
    "mf": {"factors": 2, "burn_in": 2, "draws": 2},
    "svdpp": {"factors": 2, "burn_in": 2, "draws": 2},
    "igmc": {
        "model": {"layers": [8, 8], "mlp_width": 8},
        "extract": {"max_nodes_per_hop": 5},
        "train": {"epochs": 1, "ensemble_size": 1, "selection": "validation"},
    },
    "neighbours": {"epochs": 1, "members": 1, "estimates": "mf"},
    "ials": {"factors": 2, "iterations": 2},
    "ranker": {"folds": 1, "epochs": 1, "members": 1},
    "multvae": {"epochs": 2},
}
BLIND = {
    "popularity",
    "multvae",
    "ease",
    "slim",
    "rp3beta",
    "ials",
    "lightgcn",
    "ngcf",
}  # to what a rating says: that it is there is all they use
PROTOCOLS = ("random_80_20", "unseen_users:k=3,max_k=3", "leave_last_out")
DATA = make_dataset(share=0.8, times="distinct", hint=KnownScale(1, 5))


def told(value, into) -> None:
    """Put all that a value holds into a digest."""
    if isinstance(value, torch.Tensor):
        value = value.detach().numpy()
    if isinstance(value, np.ndarray):
        into.update(f"{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes())
    elif isinstance(value, sparse.csr_array):
        told([value.data, value.indices, value.indptr], into)
    elif isinstance(value, dict):
        told([part for pair in value.items() for part in pair], into)
    elif isinstance(value, (list, tuple)):
        for part in value:
            told(part, into)
    elif dataclasses.is_dataclass(value):
        told(vars(value), into)
    else:
        assert isinstance(value, (str, int, float, bool, type(None), np.generic)), type(value)
        into.update(repr(value).encode())


def learned(name, protocol, dataset, monkeypatch, **settings):
    """A digest of what was learned, by which figures of validation, all scores, and the test predictions."""
    way, seen = make_protocol(protocol), []

    def look(model, split, ks, found, rankings):
        state = hashlib.sha256()
        told([getattr(model, attribute) for attribute in model.fitted], state)
        told([{name: row[name] for name in row if "second" not in name} for row in model.history], state)
        if len(split.support) and model.inductive:
            model = model.fold_in(model_evaluation.Ratings.of(split.table, split.support))
        asked = split.pairs(split.test)
        scores = model.scores(np.arange(model.n_users))
        seen.append((state.hexdigest(), scores, model.predict(asked.user, asked.item), split.test))
        found.metrics["seen"] = 1.0

    monkeypatch.setattr(model_evaluation, "_measure", look)
    model_evaluation.evaluate_model(
        ModelSpec(name, {**SMALL.get(name, {}), **settings}),
        dataset,
        way,
        way.draw(dataset, 1),
        ks=[5],
        rankings=False,
    )
    return seen[0]


@cache
def learned_usually(name, protocol):
    """`learned` of `DATA`, once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        return learned(name, protocol, DATA, patch)


def changed(dataset, rows):
    """The ratings of some rows turned round, and no other."""
    rating = dataset.table.rating.copy()
    rating[rows] = 6 - rating[rows]
    assert (rating != dataset.table.rating).any()
    return dataclasses.replace(dataset, table=dataclasses.replace(dataset.table, rating=rating))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", RECOMMENDERS)
def test_test_ratings_change_nothing(name, protocol, monkeypatch):
    state, scores, predicted, test = learned_usually(name, protocol)
    other, again, asked, rows = learned(name, protocol, changed(DATA, test), monkeypatch)
    np.testing.assert_array_equal(rows, test)
    assert other == state
    np.testing.assert_array_equal(again, scores)
    np.testing.assert_array_equal(asked, predicted)


@pytest.mark.parametrize("protocol", ["users:k=0,refit=false", "items:k=0,refit=false", "both:k=0"])
@pytest.mark.parametrize("name", ["mf", "svdpp", "neighbours"])
def test_what_the_unseen_would_rate_changes_nothing_that_side_features_say(name, protocol, monkeypatch):
    ages = pd.array(20 + np.arange(20) % 7, dtype="Int64")
    data = dataclasses.replace(DATA, user_info=pd.DataFrame({"age": ages}))
    protocol, told = f"unseen_{protocol}", {"side_features": True}
    state, scores, predicted, test = learned(name, protocol, data, monkeypatch, **told)
    other, again, asked, _ = learned(name, protocol, changed(data, test), monkeypatch, **told)
    assert other == state
    np.testing.assert_array_equal(again, scores)
    np.testing.assert_array_equal(asked, predicted)
    older = dataclasses.replace(data, user_info=data.user_info.assign(age=ages[::-1]))
    assert learned(name, protocol, older, monkeypatch, **told)[0] != state


@pytest.mark.parametrize("name", sorted(set(RECOMMENDERS) - BLIND))
def test_a_training_rating_would_be_noticed(name, monkeypatch):
    way = make_protocol(PROTOCOLS[0])
    train = way.draw(DATA, 1).train
    state, scores, _, _ = learned_usually(name, PROTOCOLS[0])
    other, again, _, _ = learned(name, PROTOCOLS[0], changed(DATA, train[:20]), monkeypatch)
    assert other != state
    assert not np.array_equal(again, scores)
