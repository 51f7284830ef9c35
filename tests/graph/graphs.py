"""Random rating graphs and pairs; those that hypothesis draws are in `any_graph`.

Processes that tests start import this one, and so not hypothesis.
"""

import numpy as np

from igmc.graph.bipartite import BipartiteGraph


def random_graph(n_users: int, n_items: int, n_levels: int, density: float, seed: int) -> BipartiteGraph:
    """A graph whose ratings are drawn independently; some users and items may have none."""
    rng = np.random.default_rng(seed)
    users, items = np.nonzero(rng.random((n_users, n_items)) < density)
    levels = rng.integers(n_levels, size=len(users))
    return BipartiteGraph.from_ratings(
        users, items, levels, n_users=n_users, n_items=n_items, n_levels=n_levels
    )


def all_pairs(graph: BipartiteGraph) -> tuple[np.ndarray, np.ndarray]:
    """Every (user, item), rated or not."""
    return (
        np.repeat(np.arange(graph.n_users), graph.n_items),
        np.tile(np.arange(graph.n_items), graph.n_users),
    )
