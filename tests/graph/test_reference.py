"""The oracle itself, by hand: nodes by distance, labels, edges without the pair's own, caps and limits."""

import numpy as np
import pytest

from igmc.config import ExtractConfig
from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.reference import reference_subgraphs

# user 0 rated items 0 and 1, user 1 items 1 and 2, user 2 item 2 and user 3 item 3, which ties it to nobody
GRAPH = BipartiteGraph.from_ratings(
    [0, 0, 1, 1, 2, 3], [0, 1, 1, 2, 2, 3], [4, 2, 0, 3, 1, 0], n_users=4, n_items=4, n_levels=5
)


def edges(cut):
    """(user, item, level) of each edge of one subgraph."""
    users, items = np.repeat(cut.user_id, cut.degree), cut.item_id[cut.edge_item]
    return list(zip(users.tolist(), items.tolist(), cut.edge_level.tolist(), strict=True))


def labels(cut):
    users = dict(zip(cut.user_id.tolist(), cut.user_label.tolist(), strict=True))
    return users, dict(zip(cut.item_id.tolist(), cut.item_label.tolist(), strict=True))


def test_one_hop_by_hand():
    cut = reference_subgraphs(GRAPH, [0], [2], ExtractConfig(hops=1), seed=0)
    cut.check()
    assert labels(cut) == ({0: 0, 1: 2, 2: 2}, {2: 1, 0: 3, 1: 3})
    assert edges(cut) == [(0, 1, 2), (0, 0, 4), (1, 1, 0), (1, 2, 3), (2, 2, 1)]  # rows by level


def test_the_own_rating_is_left_out_and_leads_nowhere():
    cut = reference_subgraphs(GRAPH, [0], [1], ExtractConfig(hops=1), seed=0)
    assert labels(cut) == ({0: 0, 1: 2}, {1: 1, 0: 3})
    assert edges(cut) == [(0, 0, 4), (1, 1, 0)]
    alone = reference_subgraphs(GRAPH, [3], [3], ExtractConfig(hops=4), seed=0)
    assert (alone.n_nodes, alone.n_edges) == (2, 0)


def test_further_hops_are_labelled_by_their_distance():
    cut = reference_subgraphs(GRAPH, [2], [0], ExtractConfig(hops=2), seed=0)
    assert labels(cut) == ({2: 0, 0: 2, 1: 4}, {0: 1, 2: 3, 1: 5})
    assert len(edges(cut)) == 5
    near = reference_subgraphs(GRAPH, [2], [0], ExtractConfig(hops=1), seed=0)
    assert labels(near) == ({2: 0, 0: 2}, {0: 1, 2: 3})


@pytest.mark.parametrize(("ratio", "cap", "kept"), [(1.0, 3, 3), (0.5, None, 5), (0.5, 4, 4), (0.0, None, 0)])
def test_a_hop_is_thinned_to_the_ratio_and_the_cap(ratio, cap, kept):
    wide = BipartiteGraph.from_ratings([0] * 10, range(10), [0] * 10, n_users=1, n_items=11, n_levels=1)
    config = ExtractConfig(sample_ratio=ratio, max_nodes_per_hop=cap)
    draws = [reference_subgraphs(wide, [0], [10], config, seed=1, epoch=e).item_id[1:] for e in range(20)]
    assert {len(draw) for draw in draws} == {kept}
    assert all(draw.tolist() == sorted(draw.tolist()) for draw in draws)
    if kept:
        assert set(np.concatenate(draws).tolist()) == set(range(10))  # another epoch, another draw


def test_a_limit_hides_ratings_of_the_target_but_not_of_the_others():
    for epoch in range(8):
        cut = reference_subgraphs(GRAPH, [0], [2], ExtractConfig(), seed=1, epoch=epoch, user_limit=[1])
        (shown,) = set(cut.item_id.tolist()) - {2}
        assert [edge for edge in edges(cut) if edge[0] == 0] == [(0, shown, {0: 4, 1: 2}[shown])]
        assert (2, 2, 1) in edges(cut)
    none = reference_subgraphs(GRAPH, [0], [2], ExtractConfig(), seed=1, user_limit=[0], item_limit=[0])
    assert (none.n_nodes, none.n_edges) == (2, 0)


def test_several_pairs_stand_one_after_the_other():
    both = reference_subgraphs(GRAPH, [0, 2], [2, 0], ExtractConfig(), seed=0)
    for row, (user, item) in enumerate(((0, 2), (2, 0))):
        alone = reference_subgraphs(GRAPH, [user], [item], ExtractConfig(), seed=0)
        for name, array in alone.arrays().items():
            np.testing.assert_array_equal(getattr(both[row : row + 1], name), array, err_msg=name)
