"""Random rating graphs and pairs for property tests."""

import numpy as np
from hypothesis import strategies as st

from igmc.config import ExtractConfig
from igmc.graph.bipartite import BipartiteGraph


def random_graph(n_users: int, n_items: int, n_levels: int, density: float, seed: int) -> BipartiteGraph:
    """A graph whose ratings are drawn independently; some users and items may have none."""
    rng = np.random.default_rng(seed)
    users, items = np.nonzero(rng.random((n_users, n_items)) < density)
    levels = rng.integers(n_levels, size=len(users))
    return BipartiteGraph.from_ratings(
        users, items, levels, n_users=n_users, n_items=n_items, n_levels=n_levels
    )


graphs = st.builds(
    random_graph,
    n_users=st.integers(1, 25),
    n_items=st.integers(1, 25),
    n_levels=st.integers(1, 12),
    density=st.floats(0.0, 0.9),
    seed=st.integers(0, 2**32 - 1),
)

extract_configs = st.builds(
    ExtractConfig,
    hops=st.integers(1, 4),
    max_nodes_per_hop=st.none() | st.integers(1, 12),
    sample_ratio=st.sampled_from([0.0, 0.3, 0.75, 1.0]),
)


def all_pairs(graph: BipartiteGraph) -> tuple[np.ndarray, np.ndarray]:
    """Every (user, item), rated or not."""
    return (
        np.repeat(np.arange(graph.n_users), graph.n_items),
        np.tile(np.arange(graph.n_items), graph.n_users),
    )
