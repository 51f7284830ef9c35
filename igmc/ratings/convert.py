"""Export of rating graphs to NetworkX and PyTorch Geometric."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.argument_types import checked_types
from igmc.errors import ConfigError, DataError, MissingExtraError
from igmc.files import replacing, writing
from igmc.ratings.checks import check_range
from igmc.ratings.dataset import Dataset
from igmc.ratings.ids import RawId
from igmc.ratings.load import DataLike, load_dataset
from igmc.ratings.side_features import side_features
from igmc.ratings.split import Split

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd
    from torch_geometric.data import Data, HeteroData

__all__ = ["DIRECTIONS", "to_hetero", "to_networkx", "to_pyg", "write_graph"]

DIRECTIONS = ("both", "one")

# The first three are PyG's own names.
_MASKS = {"train": "train_mask", "validation": "val_mask", "test": "test_mask", "support": "support_mask"}
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 cannot hold

Columns = dict[str, NDArray[Any]]


@checked_types
def to_networkx(
    dataset: DataLike, *, split: Split | None = None, rows: ArrayLike | None = None
) -> nx.Graph[Any]:
    """The bipartite rating graph as a NetworkX graph.

    Its nodes are ``("user", user_id)`` and ``("item", item_id)``; those without ratings are included. A node
    has the attributes ``bipartite`` (0 user, 1 item), ``raw_id``, and its side information (age, title,
    genres, ...). An edge has ``rating``, ``timestamp`` (seconds since 1970) if the data have times, and with
    a split ``part`` ("train", "validation", "test" or "support") and ``level``. All nodes have the same
    attributes, and so have all edges, as PyG's ``from_networkx`` requires; unknown values are an empty string
    or -1.

    Args:
        dataset: whose ratings: anything that `igmc.ratings.load.load_dataset` accepts.
        split: of this data set.
        rows: int [E], row numbers of ``dataset.table``, such as ``split.train``; by default those of the
            parts of `split`, else all.

    Raises:
        DataError: if the split is of other ratings, or a row is out of range or occurs twice.
        MissingExtraError: without networkx.

    >>> from igmc.ratings.demo.dataset import make_demo
    >>> graph = to_networkx(make_demo())
    >>> graph.number_of_nodes(), graph.number_of_edges()
    (550, 12000)
    """
    try:
        import networkx as nx
    except ImportError as error:
        raise MissingExtraError("a NetworkX graph needs networkx", remedy="pip install networkx") from error
    dataset = load_dataset(dataset)
    table, columns = dataset.table, _columns(dataset, split, rows)
    graph = nx.Graph(name=dataset.name)
    sides = (("user", table.users, dataset.user_info), ("item", table.items, dataset.item_info))
    known = [_known(info, len(ids)) for _, ids, info in sides]
    every = (pair for of in (*known[0], *known[1]) for pair in of.items())
    unknown = {name: "" if isinstance(value, str) else -1 for name, value in every}
    for kind, (side, ids, _) in enumerate(sides):
        graph.add_nodes_from(
            ((side, raw), {"bipartite": kind, "raw_id": raw, **unknown, **of})
            for raw, of in zip(ids.ids, known[kind], strict=True)
        )
    users, items = table.users.decode(columns.pop("user")), table.items.decode(columns.pop("item"))
    graph.add_edges_from(
        (("user", user), ("item", item), of_edge)
        for user, item, of_edge in zip(users, items, _edge_attributes(columns), strict=True)
    )
    return graph


@checked_types
def to_pyg(
    dataset: DataLike,
    *,
    split: Split | None = None,
    rows: ArrayLike | None = None,
    directions: str = "both",
    features: bool = False,
) -> Data:
    """The rating graph as a homogeneous PyG graph: user u is node u, item i is node n_users + i.

    With E ratings and N = n_users + n_items the graph holds ``edge_index`` int64 [2, E], from user to item,
    or with both directions [2, 2E], of which the second half is the first one reversed; ``edge_rating``
    float32; ``edge_timestamp`` int64 (seconds since 1970, -1 where unknown) if the data set has any;
    ``node_type`` int64 [N] (0 user, 1 item); and ``raw_ids``, the lists of user and of item ids. With a split
    it has ``edge_level`` int64 (-1 where ``split.scale`` lacks the rating, as can happen in the test part),
    and ``edge_train_mask``, ``edge_val_mask``, ``edge_test_mask`` and, if the split has support,
    ``edge_support_mask``, bool.

    Args:
        dataset, split, rows: as in `to_networkx`. Test edges would leak the ratings to predict: use the
            training mask, or ``rows=split.train``.
        directions: "both" or "one".
        features: add the side features as ``x``, float32 [N, F + G]: the first F columns those of the users,
            the other G those of the items, 0 in the rows of the other side.

    Raises:
        ConfigError: on other directions.
        DataError: as `to_networkx`; or if `features` is set and the data set has none.
    """
    import torch
    from torch_geometric.data import Data

    dataset = load_dataset(dataset)
    n_users, n_items = len(dataset.table.users), len(dataset.table.items)
    columns = _tensors(dataset, split, rows)
    index = torch.stack([columns.pop("user"), columns.pop("item") + n_users])
    if _both(directions):
        index = torch.cat([index, index.flip(0)], dim=1)
        columns = {name: column.repeat(2) for name, column in columns.items()}
    data = Data(edge_index=index, num_nodes=n_users + n_items)
    for name, column in columns.items():
        data[f"edge_{name}"] = column
    data.node_type = torch.tensor([0, 1]).repeat_interleave(torch.tensor([n_users, n_items]))
    data.raw_ids = _raw_ids(dataset)
    if features:
        users, items = map(torch.from_numpy, side_features(dataset))
        data.x = torch.block_diag(users, items)  # type: ignore[no-untyped-call]
    return data


@checked_types
def to_hetero(
    dataset: DataLike,
    *,
    split: Split | None = None,
    rows: ArrayLike | None = None,
    directions: str = "both",
    features: bool = False,
) -> HeteroData:
    """The rating graph as a heterogeneous PyG graph with the edge type ``("user", "rates", "item")``.

    It has ``edge_index`` int64 [2, E] and the edge attributes of `to_pyg` without the prefix ``edge_``:
    ``rating``, ``train_mask``, ... With both directions, the reversed edges are stored under ``("item",
    "rev_rates", "user")``. The graph itself has ``raw_ids``.

    Args:
        dataset, split, rows, directions: as in `to_pyg`.
        features: add the side features as ``x`` of the users, float32 [n_users, F], and of the items,
            [n_items, G].

    Raises:
        ConfigError: on other directions.
        DataError: as `to_pyg`.
    """
    import torch
    from torch_geometric.data import HeteroData

    data = HeteroData()
    dataset = load_dataset(dataset)
    data["user"].num_nodes, data["item"].num_nodes = len(dataset.table.users), len(dataset.table.items)
    columns = _tensors(dataset, split, rows)
    index = torch.stack([columns.pop("user"), columns.pop("item")])
    types = {("user", "rates", "item"): index}
    if _both(directions):
        types["item", "rev_rates", "user"] = index.flip(0)
    for name, ends in types.items():
        data[name].edge_index = ends
        for column, values in columns.items():
            data[name][column] = values
    data.raw_ids = _raw_ids(dataset)
    if features:
        data["user"].x, data["item"].x = map(torch.from_numpy, side_features(dataset))
    return data


def write_graph(graph: Any, path: str | Path) -> None:
    """Write a graph of one of the functions above to a file, atomically; an old file is replaced.

    A NetworkX graph becomes GraphML, in which users are called u0, u1, ... and items i0, i1, ... (an
    identifier there is one word), with their ids in ``raw_id``. Of a PyG graph ``torch.save`` writes the
    dictionary, which holds tensors and plain types only, so that ``Data.from_dict(torch.load(path))`` or
    ``HeteroData.from_dict(torch.load(path))`` reads it without executing code from the file.

    Raises:
        DataError: if a text contains a character that XML does not allow.
        IgmcError: if the file cannot be written.
    """
    path, graphml = Path(path), hasattr(graph, "nodes")
    if graphml:
        graph = _named(graph)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        if graphml:
            import networkx as nx

            nx.write_graphml(graph, file)
        else:
            import torch

            torch.save(graph.to_dict(), file)


def _columns(dataset: Dataset, split: Split | None, rows: ArrayLike | None) -> Columns:
    """The user, item, rating, ... of the chosen ratings, a column each."""
    table = dataset.table
    if split is not None and split.table is not table and split.table.digest() != table.digest():
        raise DataError(f"the split is of other ratings than {dataset.name}", remedy="make a split of it")
    if rows is None and split is not None:
        rows = np.sort(np.concatenate([getattr(split, part) for part in _MASKS]))
    chosen = np.arange(len(table)) if rows is None else _checked(rows, len(table))
    columns: Columns = {name: getattr(table, name)[chosen] for name in ("user", "item", "rating")}
    if table.timestamp is not None:
        columns["timestamp"] = table.timestamp[chosen]
    if split is not None:
        columns["level"] = _levels(split, columns["rating"])
        for part, mask in _MASKS.items():
            if part != "support" or split.support.size:
                columns[mask] = np.isin(chosen, getattr(split, part))
    return columns


def _checked(rows: ArrayLike, n: int) -> NDArray[np.int64]:
    chosen = np.asarray(rows)
    if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
        raise DataError("rows are not a list of row numbers", got=f"{chosen.dtype} {list(chosen.shape)}")
    check_range(chosen, n, "a row is out of range")
    if len(np.unique(chosen)) < len(chosen):
        raise DataError("a row occurs twice", allowed="each row once")
    return chosen.astype(np.int64)


def _levels(split: Split, rating: NDArray[np.float64]) -> NDArray[np.int64]:
    """The levels; -1 of a rating that the scale, which was fitted to other parts, does not have."""
    known = np.isin(rating, split.scale.values) | split.scale.grouped
    level = np.full(len(rating), -1, dtype=np.int64)
    level[known] = split.scale.encode(rating[known])
    return level


def _tensors(dataset: Dataset, split: Split | None, rows: ArrayLike | None) -> dict[str, Any]:
    import torch

    kinds = {"user": np.int64, "item": np.int64, "rating": np.float32}
    columns = _columns(dataset, split, rows).items()
    return {name: torch.tensor(c.astype(kinds.get(name, c.dtype))) for name, c in columns}


def _both(directions: str) -> bool:
    if directions not in DIRECTIONS:
        raise ConfigError("unknown directions", got=directions, allowed=", ".join(DIRECTIONS))
    return directions == "both"


def _raw_ids(dataset: Dataset) -> dict[str, list[RawId]]:
    # In a dict: a list as long as there are nodes or edges, PyG's samplers would try to index like a tensor.
    return {"user": list(dataset.table.users.ids), "item": list(dataset.table.items.ids)}


def _known(info: pd.DataFrame | None, size: int) -> list[dict[str, Any]]:
    """What is known of each node, as plain Python values; what is missing is left out."""
    if info is None:
        return [{} for _ in range(size)]
    records = info.astype(object).where(info.notna(), None).to_dict("records")
    return [{str(name): value for name, value in of.items() if value not in (None, "")} for of in records]


def _edge_attributes(columns: Columns) -> list[dict[str, Any]]:
    names = [name for name in columns if name not in _MASKS.values()]
    rows = zip(*(columns[name].tolist() for name in names), strict=True)  # .tolist(): plain Python numbers
    attributes = [dict(zip(names, row, strict=True)) for row in rows]
    for part, mask in _MASKS.items():
        for row in np.flatnonzero(columns.get(mask, ())).tolist():
            attributes[row]["part"] = part
    return attributes


def _named(graph: nx.Graph[Any]) -> nx.Graph[Any]:
    """The graph with identifiers that GraphML allows."""
    import networkx as nx

    count = {"user": 0, "item": 0}
    names = {}
    for node, attributes in graph.nodes(data=True):
        for text in (value for value in attributes.values() if isinstance(value, str)):
            if _NO_XML.search(text):
                raise DataError("GraphML allows no control characters", got=text, remedy="write a PyG graph")
        names[node] = f"{node[0][0]}{count[node[0]]}"
        count[node[0]] += 1
    return nx.relabel_nodes(graph, names)
