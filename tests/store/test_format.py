"""FORMAT.md, followed to the letter with h5py, hashlib and json alone, and held against a committed store."""

import hashlib
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from igmc.config import ExtractConfig
from igmc.graph.bipartite import BipartiteGraph
from igmc.ratings.table import Pairs
from igmc.store.fingerprint import fingerprint
from igmc.store.reader import StoreReader
from tests.store.small_stores import CONFIG, GRAPH, make_store, pairs_of, take

GOLDEN = Path(__file__).parent / "golden"
DATASETS = (
    *("pair/user", "pair/item", "pair/rating", "pair/users", "pair/items", "pair/edges", "pair/digest"),
    *("user/id", "user/label", "user/degree", "item/id", "item/label", "edge/item", "edge/level"),
)


def read_by_the_book(folder: Path) -> tuple[dict, list[dict]]:
    """The manifest, and one dictionary of plain lists a pair."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest["format"] == "igmc-store"
    assert manifest["version"] == 1
    canonical = json.dumps(manifest["origin"], sort_keys=True, separators=(",", ":"))
    assert manifest["fingerprint"] == hashlib.sha256(canonical.encode("ascii")).hexdigest()
    pairs, content = [], hashlib.sha256()
    shards = -(-manifest["pairs"] // manifest["shard_size"])
    for number in range(shards):
        first = number * manifest["shard_size"]
        columns = read_shard(folder / f"{number:05d}.h5", manifest, first)
        assert first + len(columns["pair/user"]) == min(first + manifest["shard_size"], manifest["pairs"])
        for pair in split_pairs(columns):
            assert pair_digest(pair) == pair["digest"]
            content.update(pair["digest"])
            pairs.append(pair)
    assert len(pairs) == manifest["pairs"]
    assert content.hexdigest() == manifest["content_digest"]
    return manifest, pairs


def read_shard(path: Path, manifest: dict, first: int) -> dict[str, np.ndarray]:
    data = hashlib.sha256()
    with h5py.File(path, "r") as file:
        text = file.attrs["commit"]
        assert file.attrs.get_id("commit").get_type().is_variable_str() is False
        for name in DATASETS:
            assert file[name].fletcher32 == (file[name].size > 0)
        columns = {name: file[name][()] for name in DATASETS}
    commit = json.loads(text.decode("ascii"))
    assert commit["format"] == "igmc-store"
    assert commit["version"] == 1
    assert [commit[key] for key in ("fingerprint", "shard_size")] == [
        manifest["fingerprint"],
        manifest["shard_size"],
    ]
    assert (commit["first"], commit["pairs"]) == (first, len(columns["pair/user"]))
    for name in DATASETS:
        column = columns[name]
        shape = ",".join(str(length) for length in column.shape)
        data.update(f"{name} {column.dtype.kind}{column.dtype.itemsize} {shape}\n".encode("ascii"))
        data.update(column.astype(column.dtype.newbyteorder("<")).tobytes())
    assert data.hexdigest() == commit["data_digest"]
    assert sum(column.nbytes for column in columns.values()) == commit["data_bytes"]
    return columns


def split_pairs(columns: dict[str, np.ndarray]) -> list[dict]:
    pairs, at = [], {"user": 0, "item": 0, "edge": 0}
    for p in range(len(columns["pair/user"])):
        pair = {name: columns[f"pair/{name}"][p] for name in ("user", "item", "rating")}
        pair["digest"] = columns["pair/digest"][p].tobytes()
        for side in at:
            stop = at[side] + int(columns[f"pair/{side}s"][p])
            for name in DATASETS:
                if name.startswith(f"{side}/"):
                    pair[name] = columns[name][at[side] : stop].tolist()
            at[side] = stop
        pairs.append(pair)
    assert at == {side: len(columns[f"{side}/id" if side != "edge" else "edge/item"]) for side in at}
    return pairs


def pair_digest(pair: dict) -> bytes:
    users, items, edges = len(pair["user/id"]), len(pair["item/id"]), len(pair["edge/item"])
    sha = hashlib.sha256(np.array([pair["user"], pair["item"]], "<i4").tobytes())
    sha.update(np.array([pair["rating"]], "<f4").tobytes())
    sha.update(np.array([users, items, edges], "<u4").tobytes())
    sha.update(np.array(pair["user/id"], "<u4").tobytes() + bytes(pair["user/label"]))
    sha.update(np.array(pair["user/degree"], "<u4").tobytes())
    sha.update(np.array(pair["item/id"], "<u4").tobytes() + bytes(pair["item/label"]))
    width = "<u1" if items <= 256 else "<u2" if items <= 65536 else "<u4"
    sha.update(np.array(pair["edge/item"], width).tobytes() + bytes(pair["edge/level"]))
    return sha.digest()[:16]


@pytest.mark.parametrize("compress", [False, True])
def test_the_book_describes_what_is_written(tmp_path, compress):
    stored = make_store(tmp_path, compress=compress)
    manifest, pairs = read_by_the_book(tmp_path)
    assert manifest["fingerprint"] == fingerprint(GRAPH, pairs_of(GRAPH), CONFIG, 0)
    assert len(pairs) == len(stored)
    for p, pair in enumerate(pairs):
        one = take(stored, np.array([p]))
        assert pair["user"] == one.user[0]
        assert pair["item"] == one.item[0]
        assert pair["user/id"] == one.user_id.tolist()
        assert pair["user/label"] == one.user_label.tolist()
        assert pair["user/degree"] == one.degree.tolist()
        assert pair["item/id"] == one.item_id.tolist()
        assert pair["item/label"] == one.item_label.tolist()
        assert pair["edge/item"] == one.edge_item.tolist()
        assert pair["edge/level"] == one.edge_level.tolist()


def test_wide_items_by_the_book(tmp_path):
    graph = BipartiteGraph.from_ratings(
        np.zeros(300), np.arange(300), np.arange(300) % 2, n_users=2, n_items=301, n_levels=2
    )
    make_store(tmp_path, graph, ExtractConfig(), pairs=Pairs([0, 1, 0], [300, 3, 5], [1.0, 2.0, 4.5]))
    read_by_the_book(tmp_path)


def test_committed_store_is_read_as_ever():
    # user 0 rated items 0, 1; user 1 rated items 1, 2; user 2 rated item 2; levels 4 2 0 3 1
    graph = BipartiteGraph.from_ratings(
        [0, 0, 1, 1, 2], [0, 1, 1, 2, 2], [4, 2, 0, 3, 1], n_users=3, n_items=3, n_levels=5
    )
    pairs = Pairs([0, 0, 2], [2, 0, 1], [3.0, 5.0, 1.5])
    config = CONFIG.replace(hops=1, max_nodes_per_hop=10)
    reader = StoreReader(GOLDEN, fingerprint=fingerprint(graph, pairs, config, 7))
    assert reader.content_digest == "985b51a467d96986b1796858968cd9eabb2bfbc558e43590be5d49360a68a694"
    one = reader.read([0])
    assert one.user_id.tolist() == [0, 1, 2]
    assert one.user_label.tolist() == [0, 2, 2]
    assert one.item_id.tolist() == [2, 0, 1]
    assert one.item_label.tolist() == [1, 3, 3]
    assert one.degree.tolist() == [2, 2, 1]
    assert one.edge_item.tolist() == [2, 1, 2, 0, 0]
    assert one.edge_level.tolist() == [2, 4, 0, 3, 1]
    assert reader.ratings.tolist() == [3.0, 5.0, 1.5]
    assert reader.verify() == []
    read_by_the_book(GOLDEN)
