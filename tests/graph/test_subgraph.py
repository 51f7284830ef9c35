from dataclasses import replace

import numpy as np
import pytest

from igmc.config import ExtractConfig
from igmc.errors import DataError
from igmc.graph.kernel import extract_subgraphs
from igmc.graph.subgraph import Subgraphs
from tests.graph.graphs import all_pairs, random_graph


@pytest.fixture
def cut() -> Subgraphs:
    graph = random_graph(10, 10, 3, 0.5, seed=1)
    return extract_subgraphs(graph, *all_pairs(graph), ExtractConfig(), seed=0)


def test_slices_put_together_are_the_whole(cut):
    whole = Subgraphs.concat([cut[:13], cut[13:13], cut[13:60], cut[60:]])
    whole.check()
    for name, array in cut.arrays().items():
        np.testing.assert_array_equal(array, getattr(whole, name), err_msg=name)


def test_only_runs_can_be_cut_out(cut):
    with pytest.raises(IndexError, match="consecutive"):
        cut[::2]


@pytest.mark.parametrize(
    ("name", "spoil", "message"),
    [
        ("edge_item", lambda a: a.astype(np.int64), "edge_item has the wrong type; got 'int64'"),
        ("user_ptr", lambda a: a[:-1], "user_ptr does not ascend"),
        ("edge_ptr", lambda a: a[::-1].copy(), "edge_ptr does not ascend"),
        ("degree", lambda a: a + 1, "degrees do not add up"),
        ("edge_item", lambda a: a + 100, "outside its own item nodes"),
        ("edge_level", lambda a: a[1:], "differ in length"),
        ("user_label", lambda a: a[1:], "differ in length"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(cut, name, spoil, message):
    with pytest.raises(DataError, match=message):
        replace(cut, **{name: spoil(getattr(cut, name))}).check()
