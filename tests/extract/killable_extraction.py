"""An extraction of a second or two; as a program of its own it can be killed.

python -m tests.extract.killable_extraction FOLDER WORKERS
"""

import logging
import signal
import sys

import numpy as np

from igmc.config import ExtractConfig
from igmc.extract.pool import extract_store
from igmc.graph.parts import Part
from igmc.ratings.table import Pairs
from tests.graph.graphs import all_pairs, random_graph

CONFIG = ExtractConfig(hops=1, max_nodes_per_hop=60)
SEED = 5


def make_part(n_pairs: int) -> Part:
    """A part whose pairs come in no order, some rated and some not."""
    graph = random_graph(250, 200, 5, 0.25, seed=1)
    users, items = all_pairs(graph)
    chosen = np.random.default_rng(2).permutation(len(users))[:n_pairs]
    ratings = np.linspace(1, 5, len(chosen), dtype=np.float32)
    return Part(
        "train", graph, Pairs(users[chosen].astype(np.int32), items[chosen].astype(np.int32), ratings)
    )


def _terminate(number, frame):
    raise SystemExit(143)  # as igmc's commands do


if __name__ == "__main__":
    logging.basicConfig(format="%(levelname)s %(message)s")
    signal.signal(signal.SIGTERM, _terminate)
    report = extract_store(
        make_part(10_000), CONFIG, seed=SEED, folder=sys.argv[1], workers=int(sys.argv[2]), shard_size=200
    )
    print(report.digest)
