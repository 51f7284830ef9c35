"""The attention of a GAT, beside the explanation of a small run."""

import copy
import dataclasses

import numpy as np
import pytest

import igmc
from igmc.ratings.split import Split
from igmc.recommenders.graph.attention import attention_panel
from igmc.recommenders.registry import make_recommender
from igmc.recommenders.training_data import TrainingData


@pytest.fixture(scope="module")
def model(demo_run):
    data = TrainingData.from_split(Split.load(demo_run / "split.npz")).merged()
    settings = {"epochs": 1, "dim": 4, "heads": 2, "inputs": "ids", "batch_size": 2000}
    return make_recommender("gat", settings).fit(data)


@pytest.fixture(scope="module")
def found(predictor):
    return igmc.explain(predictor, 3, "f007", top=3)


def test_a_line_is_as_wide_as_its_share_of_the_attention(predictor, model, found):
    panel = attention_panel(found, model, predictor.users, predictor.items)
    assert {(e.user, e.item) for e in panel.edges} == {(e.user, e.item) for e in found.edges}
    told = model.attention()
    for edge in panel.edges:
        pair = (
            predictor.users.encode([found.users[edge.user].id]),
            predictor.items.encode([found.items[edge.item].id]),
        )
        row = np.flatnonzero((told.user == pair[0]) & (told.item == pair[1]))[0]
        size = (told.user == pair[0]).sum(), (told.item == pair[1]).sum()
        weights = told.to_user[-1, row].mean() * size[0], told.to_item[-1, row].mean() * size[1]
        expected = weights[0] if edge.user == 0 else weights[1] if edge.item == 0 else sum(weights) / 2
        assert edge.importance == pytest.approx(expected)


def test_ratings_that_the_model_does_not_know_are_left_out(predictor, model, found):
    left = found.edges[0]
    pair = (
        predictor.users.encode([found.users[left.user].id]),
        predictor.items.encode([found.items[left.item].id]),
    )
    known = (model.known["user"] != pair[0]) | (model.known["item"] != pair[1])
    ignorant = copy.copy(model)
    ignorant.known = {name: column[known] for name, column in model.known.items()}
    panel = attention_panel(found, ignorant, predictor.users, predictor.items)
    assert [(e.user, e.item) for e in panel.edges] == [(e.user, e.item) for e in found.edges[1:]]


def test_there_must_be_something_to_draw(predictor, model, found):
    lonely = dataclasses.replace(found, edges=())
    with pytest.raises(igmc.IgmcError, match="knows none of the ratings of this explanation"):
        attention_panel(lonely, model, predictor.users, predictor.items)


def test_a_model_of_other_users_or_items_is_refused(predictor, model, found):
    with pytest.raises(igmc.IgmcError, match="from a model of other users or items"):
        attention_panel(found, model, predictor.items, predictor.items)
