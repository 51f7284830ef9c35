"""Whatever an object holds, it shows itself in a line."""

import numpy as np
import pytest

import igmc
from igmc.evaluation import ModelSpec
from igmc.ratings import Dataset, IdTable
from igmc.ratings.demo import make_demo
from igmc.recommenders import TrainingData

DEMO = make_demo()
SPLIT = igmc.make_split(DEMO)
OBJECTS = {
    "data set": DEMO,
    "table": DEMO.table,
    "ids": DEMO.table.users,
    "split": SPLIT,
    "scale": SPLIT.scale,
    "pairs": SPLIT.pairs(SPLIT.test),
    "description": igmc.describe(DEMO),
    "part": igmc.make_parts(SPLIT, "fixed")["test"],
    "graph": igmc.make_parts(SPLIT, "fixed")["test"].graph,
    "training data": TrainingData.from_split(SPLIT, DEMO),
    "recommender": ModelSpec("biases").make("demo", 1).fit(TrainingData.from_split(SPLIT)),
    "configuration": igmc.run_config("ml_1m"),
    "evaluation": igmc.evaluate("global_mean", DEMO, rankings=False),
}


@pytest.mark.parametrize("kind", OBJECTS)
def test_every_object_is_short(kind):
    assert len(repr(OBJECTS[kind])) <= 250
    assert "\n" not in repr(OBJECTS[kind])


def test_a_configuration_shows_what_is_not_usual():
    assert repr(igmc.RunConfig()) == "RunConfig()"
    assert repr(igmc.TrainConfig(epochs=3)) == "TrainConfig(epochs=3)"


def test_arrays_are_shown_by_type_and_shape():
    assert "user=int32 [12000]" in repr(DEMO.table)


def test_a_report_prints_its_table():
    assert str(OBJECTS["evaluation"]) == OBJECTS["evaluation"].to_markdown()
    assert str(OBJECTS["description"]) == OBJECTS["description"].format()


def test_ids_show_the_first_few():
    assert repr(IdTable(("a", 1))) == "IdTable(2 ids: 'a', 1)"
    assert repr(Dataset.from_frame({"user": [1, 2], "item": [1, 2], "rating": np.ones(2)})).startswith(
        "Dataset"
    )
