"""The graphs of other libraries hold the ratings of the table, no more and no less."""

import sys
from dataclasses import replace

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import Data, HeteroData
from torch_geometric.transforms import ToUndirected
from torch_geometric.utils import from_networkx

from igmc.config import DataConfig
from igmc.errors import ConfigError, DataError, IgmcError, MissingExtraError
from igmc.ratings.convert import to_hetero, to_networkx, to_pyg, write_graph
from igmc.ratings.dataset import Dataset, ReadReport
from igmc.ratings.demo.dataset import make_demo
from igmc.ratings.ids import IdTable
from igmc.ratings.scale import RatingScale
from igmc.ratings.side_features import side_features
from igmc.ratings.split import Split, make_split
from igmc.ratings.table import RatingTable


@pytest.fixture
def toy():
    """Users 7, "7" and "x" (without a rating), items 7 and 8; user 7 and item 7 share their id."""
    table = RatingTable(
        IdTable((7, "7", "x")), IdTable((7, 8)), [0, 0, 1], [0, 1, 1], [1.0, 2.5, 4.0], [100, -1, 300]
    )
    users = pd.DataFrame({"age": pd.array([30, None, 50], "Int64"), "gender": ["F", "", "M"]})
    items = pd.DataFrame({"title": ["<A & B>", ""], "genres": ["C|D", "D"]})
    return Dataset("toy", table, ReadReport("toy", 3), users, items)


@pytest.fixture
def split(toy):
    """The scale knows the ratings 1 and 2.5 of training and validation, not the 4 of the test."""
    scale = RatingScale.fit([1.0, 2.5])
    return Split(toy.table, scale, np.array([0]), np.array([1]), np.array([2]), "made", 1)


def edges(data, type_=None):
    index = (data if type_ is None else data[type_]).edge_index
    return list(map(tuple, index.T.tolist()))


@pytest.mark.parametrize("convert", [to_networkx, to_pyg, to_hetero])
def test_whatever_is_a_data_set_becomes_a_graph(tmp_path, convert):
    frame = pd.DataFrame({"user_id": ["a", "a", "b"], "item_id": ["x", "y", "x"], "rating": [1.0, 2.0, 3.0]})
    path = tmp_path / "ratings.csv"
    frame.to_csv(path, index=False)
    graphs = [convert(data) for data in (Dataset.from_frame(frame), frame, path, {"dataset": str(path)})]
    assert [getattr(graph, "num_nodes", None) or len(graph) for graph in graphs] == [4] * 4
    with pytest.raises(
        ConfigError, match=r"this is not a data set; got 7; allowed: a name, a path, a DataFrame"
    ):
        convert(7)


def test_networkx_keeps_users_and_items_apart_and_numbers_and_texts(toy):
    graph = to_networkx(toy)
    assert graph.name == "toy"
    unknown = {"age": -1, "gender": "", "title": "", "genres": ""}
    assert dict(graph.nodes(data=True)) == {
        ("user", 7): {**unknown, "bipartite": 0, "raw_id": 7, "age": 30, "gender": "F"},
        ("user", "7"): {**unknown, "bipartite": 0, "raw_id": "7"},
        ("user", "x"): {**unknown, "bipartite": 0, "raw_id": "x", "age": 50, "gender": "M"},
        ("item", 7): {**unknown, "bipartite": 1, "raw_id": 7, "title": "<A & B>", "genres": "C|D"},
        ("item", 8): {**unknown, "bipartite": 1, "raw_id": 8, "genres": "D"},
    }
    assert nx.is_bipartite(graph)
    assert {(one, two): of for one, two, of in graph.edges(data=True)} == {
        (("user", 7), ("item", 7)): {"rating": 1.0, "timestamp": 100},
        (("user", 7), ("item", 8)): {"rating": 2.5, "timestamp": -1},
        (("user", "7"), ("item", 8)): {"rating": 4.0, "timestamp": 300},
    }


def test_networkx_with_a_split_tells_part_and_level(toy, split):
    graph = to_networkx(toy, split=split)
    assert [of for _, _, of in graph.edges(data=True)] == [
        {"rating": 1.0, "timestamp": 100, "level": 0, "part": "train"},
        {"rating": 2.5, "timestamp": -1, "level": 1, "part": "validation"},
        {"rating": 4.0, "timestamp": 300, "level": -1, "part": "test"},
    ]


def test_hetero_known_answer(toy, split):
    data = to_hetero(toy, split=split, directions="one", features=True)
    assert data.validate()
    assert (data["user"].num_nodes, data["item"].num_nodes) == (3, 2)
    assert data.edge_types == [("user", "rates", "item")]
    assert data.raw_ids == {"user": [7, "7", "x"], "item": [7, 8]}
    store = data["user", "rates", "item"]
    assert edges(data, ("user", "rates", "item")) == [(0, 0), (0, 1), (1, 1)]
    assert (store.rating.dtype, store.rating.tolist()) == (torch.float32, [1.0, 2.5, 4.0])
    assert (store.timestamp.tolist(), store.level.tolist()) == ([100, -1, 300], [0, 1, -1])
    masks = torch.stack([store.train_mask, store.val_mask, store.test_mask])
    assert masks.tolist() == torch.eye(3, dtype=torch.bool).tolist()
    users, items = side_features(toy)
    np.testing.assert_array_equal(data["user"].x, users)
    np.testing.assert_array_equal(data["item"].x, items)


def test_homogeneous_known_answer(toy, split):
    data = to_pyg(toy, split=split, features=True)
    assert data.validate()
    assert (data.num_nodes, data.node_type.tolist()) == (5, [0, 0, 0, 1, 1])
    assert edges(data) == [(0, 3), (0, 4), (1, 4), (3, 0), (4, 0), (4, 1)]
    assert data.is_undirected()
    assert data.edge_rating.tolist() == [1.0, 2.5, 4.0] * 2
    assert data.edge_test_mask.tolist() == [False, False, True] * 2
    users, items = side_features(toy)
    np.testing.assert_array_equal(data.x[:3, : users.shape[1]], users)
    np.testing.assert_array_equal(data.x[3:, users.shape[1] :], items)
    assert not data.x[:3, users.shape[1] :].any()
    assert not data.x[3:, : users.shape[1]].any()


def test_without_a_split_there_are_no_parts_nor_features_unless_asked(toy):
    assert set(to_pyg(toy).keys()) == {
        *("edge_index", "edge_rating", "edge_timestamp", "num_nodes", "node_type", "raw_ids")
    }
    timeless = replace(toy, table=replace(toy.table, timestamp=None))
    assert "timestamp" not in to_hetero(timeless)["user", "rates", "item"]


def test_both_directions_are_what_pyg_makes_of_one():
    demo = make_demo()
    split = make_split(demo, DataConfig("demo"), seed=1)
    ours = to_hetero(demo, split=split)
    theirs = ToUndirected(merge=False)(to_hetero(demo, split=split, directions="one"))
    assert ours.edge_types == theirs.edge_types
    for kind in ours.edge_types:
        for name, value in theirs[kind].items():
            torch.testing.assert_close(ours[kind][name], value, rtol=0, atol=0)


@pytest.mark.parametrize("directions", ["both", "one"])
def test_homogeneous_is_what_pyg_makes_of_hetero(directions):
    demo = make_demo()
    ours = to_pyg(demo, directions=directions)
    theirs = to_hetero(demo, directions=directions).to_homogeneous()
    assert edges(ours) == edges(theirs)
    torch.testing.assert_close(ours.edge_rating, theirs.rating)
    torch.testing.assert_close(ours.node_type, theirs.node_type)


def test_every_rating_of_a_split_is_an_edge_of_its_part():
    demo = make_demo()
    split = make_split(demo, DataConfig("demo", keep_ratio=0.5, levels=3), seed=1)
    store = to_hetero(demo, split=split)["user", "rates", "item"]
    table = demo.table
    assert "support_mask" not in store
    for mask, part in (("train_mask", "train"), ("val_mask", "validation"), ("test_mask", "test")):
        chosen, rows = store[mask], getattr(split, part)
        assert store.edge_index[:, chosen].tolist() == [table.user[rows].tolist(), table.item[rows].tolist()]
        assert store.rating[chosen].tolist() == table.rating[rows].tolist()
        assert store.level[chosen].tolist() == split.scale.encode(table.rating[rows]).tolist()
    assert len(store.rating) == len(split.train) + len(split.validation) + len(split.test) < len(table)
    only = to_hetero(demo, split=split, rows=split.train)["user", "rates", "item"]
    assert only.train_mask.all()
    assert len(only.rating) == len(split.train)


def test_support_is_a_part_of_its_own(toy, split):
    split = replace(split, test=np.array([1]), validation=np.zeros(0, int), support=np.array([2]))
    assert [of["part"] for *_, of in to_networkx(toy, split=split).edges(data=True)] == [
        *("train", "test", "support")
    ]
    assert to_pyg(toy, split=split, directions="one").edge_support_mask.tolist() == [False, False, True]


def test_what_cannot_be_converted(toy, split):
    with pytest.raises(ConfigError, match="unknown directions; got 'two'; allowed: both, one"):
        to_pyg(toy, directions="two")
    for rows, message in (
        ([0, 3], r"a row is out of range; got 3; allowed: 0\.\.2"),
        ([-1], "a row is out of range; got -1"),
        ([0, 0], "a row occurs twice; allowed: each row once"),
        ([0.5], "rows are not a list of row numbers; got 'float64"),
        ([[0]], "rows are not a list of row numbers"),
    ):
        with pytest.raises(DataError, match=message):
            to_networkx(toy, rows=rows)
    with pytest.raises(DataError, match=r"split is of other ratings than demo; .* make a split of it"):
        to_hetero(make_demo(), split=split)
    with pytest.raises(DataError, match="toy has no side features"):
        to_hetero(replace(toy, user_info=None, item_info=None), features=True)


def test_a_split_read_from_a_file_is_known_again(toy, split, tmp_path):
    split.save(tmp_path / "s.npz")
    assert to_networkx(toy, split=Split.load(tmp_path / "s.npz")).number_of_edges() == 3


def test_graphml_round_trip(toy, split, tmp_path):
    graph = to_networkx(toy, split=split)
    write_graph(graph, tmp_path / "new" / "toy.graphml")
    again = nx.read_graphml(tmp_path / "new" / "toy.graphml")
    names = dict(zip(graph, ["u0", "u1", "u2", "i0", "i1"], strict=True))
    expected = nx.relabel_nodes(graph, names)
    assert dict(again.nodes(data=True)) == dict(expected.nodes(data=True))
    assert again.nodes["u0"]["raw_id"] == 7
    assert again.nodes["u1"]["raw_id"] == "7"
    assert again.edges.keys() == expected.edges.keys()
    assert all(again.edges[edge] == of for edge, of in expected.edges.items())
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["toy.graphml"]


@pytest.mark.parametrize("written", [False, True])
def test_from_networkx_of_pyg_reads_it(toy, split, tmp_path, written):
    graph = to_networkx(toy, split=split)
    if written:
        write_graph(graph, tmp_path / "toy.graphml")
        graph = nx.read_graphml(tmp_path / "toy.graphml")
    data = from_networkx(graph)
    assert (data.num_nodes, data.num_edges) == (5, 6)
    assert data.bipartite.tolist() == [0, 0, 0, 1, 1]
    assert data.age.tolist() == [30, -1, 50, -1, -1]
    assert data.genres == ["", "", "", "C|D", "D"]
    assert sorted(data.rating.tolist()) == [1, 1, 2.5, 2.5, 4, 4]


def test_graphml_refuses_what_xml_cannot_hold(toy, tmp_path):
    graph = to_networkx(replace(toy, item_info=pd.DataFrame({"title": ["a\0b", ""]})))
    with pytest.raises(DataError, match=r"GraphML allows no control characters; got 'a\\x00b'"):
        write_graph(graph, tmp_path / "toy.graphml")
    assert list(tmp_path.iterdir()) == []


def assert_equal(one, two):
    if isinstance(one, dict):
        assert one.keys() == two.keys()
        for key, value in one.items():
            assert_equal(value, two[key])
    elif isinstance(one, torch.Tensor):
        torch.testing.assert_close(one, two, rtol=0, atol=0)
    else:
        assert one == two


@pytest.mark.parametrize(("convert", "kind"), [(to_pyg, Data), (to_hetero, HeteroData)])
def test_pyg_round_trip_runs_no_code(toy, split, tmp_path, convert, kind):
    data = convert(toy, split=split, features=True)
    write_graph(data, str(tmp_path / "toy.pt"))
    again = kind.from_dict(torch.load(tmp_path / "toy.pt", weights_only=True))
    assert again.validate()
    assert_equal(again.to_dict(), data.to_dict())
    assert again.num_nodes == 5


def test_a_file_that_cannot_be_written(toy, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(IgmcError, match=r"cannot write .*; hint: "):
        write_graph(to_pyg(toy), tmp_path / "file" / "toy.pt")


def test_without_networkx(toy, monkeypatch):
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(
        MissingExtraError, match="a NetworkX graph needs networkx; hint: pip install networkx"
    ):
        to_networkx(toy)
