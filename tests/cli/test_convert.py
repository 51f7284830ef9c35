"""igmc data convert: what other libraries read is what was asked for, and no file is lost."""

import json
import sys

import networkx as nx
import pytest
import torch
from torch_geometric.data import Data, HeteroData

from igmc.cli.convert import convert_command
from igmc.config import DataConfig
from igmc.ratings.convert import DIRECTIONS
from igmc.ratings.demo.dataset import make_demo
from igmc.ratings.split import make_split


def test_graphml(command, home, tmp_path):
    out = tmp_path / "new" / "demo.graphml"
    code, text, _ = command("igmc", "data", "convert", "demo", "--to", "networkx", "--out", out, "-q")
    assert code == 0
    assert "300 users and 250 items; ratings of split random: 9,720 training, 1,080 validation, 1,200" in text
    assert f"networkx.read_graphml({str(out)!r})" in text
    graph = nx.read_graphml(out)
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (550, 12_000)
    assert "title" in graph.nodes["i0"]


@pytest.mark.parametrize(("target", "kind"), [("pyg", Data), ("hetero", HeteroData)])
def test_pyg_with_the_split_of_the_settings(command, home, tmp_path, target, kind):
    out = tmp_path / "demo.pt"
    options = ("--directions", "one", "--features", "--test-ratio", 0.5, "--seed", 3, "--levels", 2)
    call = ("igmc", "data", "convert", "demo", "--to", target, "--out", out, *options)
    code, text, _ = command(*call, "--json")
    assert code == 0
    found = json.loads(text)
    data = kind.from_dict(torch.load(out))
    assert data.validate()
    assert data.num_edges == 12_000
    assert eval(found["read_with"], {"torch": torch, "torch_geometric": __import__("torch_geometric")})
    config = DataConfig("demo", test_ratio=0.5, levels=2)
    split = make_split(make_demo(), config, seed=3)
    store, prefix = (data, "edge_") if target == "pyg" else (data["user", "rates", "item"], "")
    assert store[f"{prefix}test_mask"].nonzero().flatten().tolist() == split.test.tolist()
    assert store[f"{prefix}level"].unique().tolist() == [0, 1]
    assert "x" in (data if target == "pyg" else data["user"])
    assert (found["train"], found["test"], found["bytes"]) == (len(split.train), 6_000, out.stat().st_size)


def test_a_file_is_not_overwritten_unless_that_is_said(command, home, ratings_file, tmp_path):
    out = tmp_path / "mine.pt"
    out.write_text("precious")
    call = ("igmc", "data", "convert", ratings_file, "--to", "pyg", "--out", out)
    code, text, err = command(*call)
    assert (code, text, out.read_text()) == (2, "", "precious")
    assert f"{out} exists already; nothing was written; hint: give --out another name, or use" in err
    code, _, _ = command(*call, "--overwrite")
    assert code == 0
    assert Data.from_dict(torch.load(out)).num_edges == 600, "both directions"


def test_a_folder_is_not_overwritten_at_all(command, home, ratings_file, tmp_path):
    call = ("igmc", "data", "convert", ratings_file, "--to", "pyg", "--out", tmp_path, "--overwrite")
    code, _, err = command(*call)
    assert code == 2
    assert err.endswith("is a folder; nothing was written; hint: give --out another name\n")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--to", "networkx", "--features"], 2, "--directions and --features are for PyG graphs"),
        (["--to", "networkx", "--directions", "one"], 2, "omit them, or use --to pyg or --to hetero"),
        (["--to", "pyg", "--features"], 3, "mine has no side features"),
        (["--to", "pyg", "--split", "u1"], 2, "mine has no such split; got 'u1'"),
        (["--to", "dot"], 2, "'dot' is not one of 'networkx', 'pyg', 'hetero'"),
        ([], 2, "Missing option '--to'"),
    ],
)
def test_what_cannot_be_converted(command, home, ratings_file, tmp_path, arguments, code, message):
    call = ("igmc", "data", "convert", ratings_file, "--out", tmp_path / "x", "-q", *arguments)
    got, out, err = command(*call)
    assert (got, out) == (code, "")
    assert message in err
    assert not (tmp_path / "x").exists()


def test_without_networkx(command, home, ratings_file, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "networkx", None)
    call = ("igmc", "data", "convert", ratings_file, "--to", "networkx", "--out", tmp_path / "x", "-q")
    assert command(*call) == (
        1,
        "",
        "igmc: error: a NetworkX graph needs networkx; hint: pip install networkx\n",
    )


def test_the_directions_offered_are_those_there_are():
    (option,) = [param for param in convert_command.params if param.name == "directions"]
    assert tuple(option.type.choices) == DIRECTIONS
