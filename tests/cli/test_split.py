"""igmc data split: a protocol applied, its sizes shown, its parts kept."""

import json

import numpy as np
import pytest

from igmc.evaluation.protocols.registry import make_protocol
from igmc.ratings.load import load_dataset
from igmc.ratings.split import Split


def test_the_file_holds_the_split_and_its_sizes_are_shown(command, home, tmp_path):
    name, out = "unseen_users:k=2,by=time", tmp_path / "new" / "split.npz"
    code, shown, _ = command("igmc", "data", "split", "demo", "--protocol", name, "--seed", 7, "--out", out)
    assert code == 0
    loaded = Split.load(out)
    assert loaded.digest() == make_protocol(name).draw(load_dataset("demo"), 7).digest()
    assert f"digest {loaded.digest()}\nsplit: {out}" in shown
    assert "all ratings of unseen users (by time), except 2 ratings" in shown
    lines = {line.split()[0]: line.split()[1:] for line in shown.splitlines() if line and line[0].islower()}
    assert lines["support"][:2] == ["120", "60"]
    assert lines["train"][0] == f"{len(loaded.train):,}"
    assert lines["test"][1] == str(len(np.unique(loaded.table.user[loaded.test])))


def test_json(command, home, tmp_path):
    arguments = ("--protocol", "random-80-20", "--out", tmp_path / "s.npz", "--json")
    code, shown, _ = command("igmc", "data", "split", "demo", *arguments)
    answer = json.loads(shown)
    assert (code, answer["dataset"], answer["seed"]) == (0, "demo", 1)
    assert answer["protocol"] == make_protocol("random_80_20").record()
    assert {part: size["ratings"] for part, size in answer["parts"].items()} == {
        "train": 8640,
        "validation": 960,
        "test": 2400,
        "support": 0,
    }
    assert answer["digest"] == Split.load(tmp_path / "s.npz").digest()


def test_a_file_of_ratings(command, home, ratings_file, tmp_path):
    arguments = (
        "--columns",
        "user,item,rating",
        "--protocol",
        "stratified_75_25",
        "--out",
        tmp_path / "s.npz",
    )
    code, shown, _ = command("igmc", "data", "split", ratings_file, *arguments)
    assert code == 0
    assert "25% of the ratings of each user" in shown
    assert len(Split.load(tmp_path / "s.npz").table) == 300


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["demo", "--protocol", "nonsense"],
            2,
            "unknown protocol; got 'nonsense'; allowed: official, random_80_20",
        ),
        (["demo", "--protocol", "official"], 2, "demo has no official split"),
        (["demo", "--protocol", "unseen_users:k=11"], 2, "k is more than max_k"),
        (["demo", "--protocol", "random_80_20:min_rating=9"], 3, "no rating of demo is left"),
        (["demo"], 2, "Missing option '--protocol'"),
    ],
)
def test_what_cannot_be_split(command, home, tmp_path, arguments, code, message):
    got, out, err = command("igmc", "data", "split", *arguments, "--out", tmp_path / "s.npz")
    assert (got, out) == (code, "")
    assert message in err
    assert not (tmp_path / "s.npz").exists()
