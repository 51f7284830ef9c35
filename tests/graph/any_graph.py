"""Graphs and settings of extractions as hypothesis draws them."""

from hypothesis import strategies as st

from igmc.config import ExtractConfig
from tests.graph.graphs import random_graph

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
