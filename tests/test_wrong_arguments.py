"""Every public function says in our own words what it does not take, whichever argument it is."""

import inspect

import numpy as np
import pandas as pd
import pytest

import igmc
from igmc.errors import IgmcError

WRONG = {
    "None": None,
    "5": 5,
    "-1.5": -1.5,
    "nope": "nope",
    "true": True,
    "frame": pd.DataFrame({"a": range(500), "b": "x" * 30}),
    "dict": {"wrong_key": 1},
    "list": [1, 2, 3],
}
PATH, PATHS = "None nope", dict.fromkeys(("data_dir", "home", "out", "track"), "None nope")
# Function -> argument -> those of the values above that are right, or about which the function cannot know.
RIGHT = {
    "describe": {"dataset": ""},
    "evaluate": {
        **{
            "models": "",
            "datasets": "",
            "protocols": "",
            "seeds": "5 list",
            "ks": "5 list",
            "rankings": "true",
            "keep_models": "",
        },
        **{"metrics": "None", **PATHS},
    },
    "explain": {
        **{"run": "", "user_id": "5", "item_id": "", "ratings": "None", "method": "", "top": "5"},
        **{"limit": "5", "deadline": "5 -1.5"},
    },
    "extract_store": {
        **{"part": "", "config": "", "seed": "5", "folder": "nope", "workers": "None 5"},
        **{"shard_size": "None 5", "compress": "true", "progress": "true"},
    },
    "extract_subgraphs": {
        **{"graph": "", "user": "list", "item": "list", "config": "", "seed": "5", "epoch": "5"},
        **{"user_limit": "None list", "item_limit": "None list"},
    },
    "fit": {"name": "", "data": "", "seed": "5", "data_dir": PATH, "home": PATH},
    "load_dataset": {"data": "", "data_dir": PATH, "home": PATH},
    "make_parts": {"split": "", "selection": ""},
    "make_split": {"dataset": "", "config": "None", "seed": "5"},
    "predict": {"run": "", "ratings": "", "items": "5 nope -1.5 true list", "clip": "true"},
    "recommend": {
        **{"run": "", "user_id": "None 5", "ratings": "None", "k": "5", "genre": "", "exclude_genre": ""},
        **{"years": "None", "min_score": "None 5 -1.5", "items": "None 5 nope list", "candidates": "None 5"},
        **{"budget": "5", "exhaustive": "true", "bottom": "true"},
    },
    "run_config": {"dataset": "None nope", "chosen": "None"},
    "to_hetero": {"dataset": "", "split": "None", "rows": "None list", "directions": "", "features": "true"},
    "to_networkx": {"dataset": "", "split": "None", "rows": "None list"},
    "to_pyg": {"dataset": "", "split": "None", "rows": "None list", "directions": "", "features": "true"},
    "train": {
        **{"data": "", "start": "None", "device": "", "workers": "None 5", "statistics_memory": "None 5"},
        **{"progress": "true", "profile": "true", **PATHS},
    },
    "transfer": {
        **{"run": "", "to": "", "how": "None", "checkpoints": "None", "device": "", "workers": "None 5"},
        **{"data_dir": PATH, "home": PATH, "out": PATH},
    },
    "Predictor.from_run": {
        **{"folder": "", "checkpoints": "None", "device": "", "workers": "None 5"},
        **{"data_dir": PATH, "home": PATH},
    },
    "Predictor.predict": {"user_ids": "5 nope list", "item_ids": "5 nope list", "clip": "true"},
    "Predictor.score_user": {"ratings": "", "items": "5 nope list", "user_id": "None 5 nope", "clip": "true"},
    "Predictor.recommend": {"user_id": "None 5", "ratings": "None", "k": "5"},
    "Predictor.explain": {"user_id": "5", "item_id": "", "ratings": "None"},
    "Predictor.similar_items": {"item_id": "", "k": "5"},
    "Predictor.at": {"time": "5"},
    "Dataset.from_frame": {
        **{
            "ratings": "",
            "users": "None",
            "items": "None",
            "columns": "None",
            "name": "nope",
            "duplicates": "",
        },
    },
    "Model.fit": {"data": "", "data_dir": PATH, "home": PATH},
    "Model.predict": {"users": "5 true list", "items": "5 true list", "clip": "true"},
    "Model.recommend": {"users": "None 5 true list", "k": "5", "rated": "true"},
    "MF": {"seed": "5", "factors": "None 5", "learning_rate": "5", "objective": ""},
}
OF_ANOTHER = ("Predictor", "Model", "Dataset")


@pytest.fixture(scope="module")
def right(demo_run, predictor, tmp_path_factory):
    """Function by name, with arguments that suit it."""
    pairs = pd.DataFrame({"user": np.repeat(range(12), 8), "item": list(range(8)) * 12})
    dataset = igmc.Dataset.from_frame(pairs.assign(rating=(pairs.user * pairs.item) % 5 + 1))
    split = igmc.make_split(dataset)
    part = igmc.make_parts(split, "validation")["test"]
    asked = {"user": part.pairs.user, "item": part.pairs.item, "config": igmc.ExtractConfig()}
    folder = tmp_path_factory.mktemp("wrong")
    model = igmc.fit("biases", dataset)
    user = {"user_id": 7}
    given = {
        "describe": {"dataset": dataset},
        "evaluate": {"models": "biases", "datasets": dataset, "rankings": False},
        "explain": {"run": predictor, "item_id": "f003", **user},
        "extract_store": {"part": part, "config": asked["config"], "seed": 1, "folder": folder / "store"},
        "extract_subgraphs": {"graph": part.graph, "seed": 1, **asked},
        "fit": {"name": "biases", "data": dataset},
        "load_dataset": {"data": dataset},
        "make_parts": {"split": split, "selection": "validation"},
        "make_split": {"dataset": dataset},
        "predict": {"run": predictor, "ratings": {"f001": 5}, "items": "f003"},
        "recommend": {"run": predictor, **user},
        "run_config": {},
        **{name: {"dataset": dataset} for name in ("to_hetero", "to_networkx", "to_pyg")},
        "train": {"data": dataset, "out": folder / "run"},
        "transfer": {"run": demo_run, "to": dataset},
        "Predictor.from_run": {"folder": demo_run},
        "Predictor.predict": {"user_ids": 7, "item_ids": "f003"},
        "Predictor.score_user": {"ratings": {"f001": 5}, "items": "f003"},
        "Predictor.recommend": user,
        "Predictor.explain": {"item_id": "f003", **user},
        "Predictor.similar_items": {"item_id": "f003"},
        "Predictor.at": {},
        "Dataset.from_frame": {"ratings": pairs.assign(rating=1)},
        "Model.fit": {"data": dataset},
        "Model.predict": {"users": 1, "items": 1},
        "Model.recommend": {"users": 1},
        "MF": {},
    }
    things = {"Predictor": predictor, "Model": model, "Dataset": igmc.Dataset}
    functions = {}
    for name, arguments in given.items():
        owner, _, method = name.rpartition(".")
        place = things.get(owner, igmc.recommenders if name == "MF" else igmc)
        functions[name] = (getattr(place, method), arguments)
    return functions


def test_no_public_function_is_left_out():
    public = {name for name in igmc.__all__ if inspect.isfunction(getattr(igmc, name))}
    assert public <= set(RIGHT)


CASES = [(name, argument) for name, arguments in RIGHT.items() for argument in arguments]


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_a_wrong_argument_is_refused_in_our_own_words(right, name, argument, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    function, arguments = right[name]
    for label in set(WRONG) - set(RIGHT[name][argument].split()):
        with pytest.raises(IgmcError) as caught:
            function(**{**arguments, argument: WRONG[label]})
        text = str(caught.value)
        got = text.partition("; got ")[2].partition("; allowed: ")[0].partition("; hint: ")[0]
        assert len(got) <= 230, (label, got)
        assert "\n" not in got, (label, got)
        assert "builtins" not in text, (label, text)


def test_a_table_is_told_by_its_kind_and_columns():
    with pytest.raises(IgmcError, match=r"got a pandas DataFrame of 500 rows with the columns a, b"):
        igmc.train(WRONG["frame"], out=WRONG["frame"])
