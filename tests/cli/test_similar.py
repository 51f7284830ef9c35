"""igmc-similar: a table, CSV and JSON of what Python gives."""

import io
import json

import pandas as pd

from igmc.inference.predictor import Predictor


def test_the_list_is_that_of_python(command, home, demo_run):
    expected = Predictor.from_run(demo_run, device="cpu").similar_items("f001", 3)
    ask = ("igmc-similar", "--run", demo_run, "--item", "f001", "-k", 3)
    code, out, err = command(*ask)
    assert (code, err) == (0, "")
    head, *lines = out.splitlines()
    assert head.split() == ["rank", "similarity", "raters", "item_id", "title", "genres"]
    assert [line.split()[3] for line in lines] == expected["item_id"].tolist()
    found = pd.read_csv(io.StringIO(command(*ask, "--csv")[1]))
    assert found["item_id"].tolist() == expected["item_id"].tolist()
    document = json.loads(command(*ask, "--json")[1])
    assert (document["run"], document["item_id"]) == (str(demo_run), "f001")
    assert [one["raters"] for one in document["similar"]] == expected.raters.tolist()


def test_an_unknown_item_is_an_error_with_a_hint(command, home, demo_run):
    code, _, err = command("igmc-similar", "--run", demo_run, "--item", "f9999")
    assert code == 3
    assert "this item is unknown; got 'f9999'" in err
