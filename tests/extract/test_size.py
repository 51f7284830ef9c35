"""The size of a store is foretold from a sample of its pairs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.config import ExtractConfig
from igmc.extract.pool import extract_store
from igmc.extract.size import bytes_per_pair, choose_shard_size, projected_bytes
from igmc.graph.kernel import extract_subgraphs
from igmc.graph.parts import Part
from igmc.ratings.table import Pairs
from tests.extract.killable_extraction import CONFIG, SEED, make_part


@pytest.mark.parametrize("config", [CONFIG, ExtractConfig(), ExtractConfig(hops=2, max_nodes_per_hop=20)])
def test_projected_size_is_near_the_real_one(tmp_path, config):
    part = make_part(4000)
    report = extract_store(part, config, seed=SEED, folder=tmp_path, workers=1, shard_size=1000)
    projected = projected_bytes(part, config, seed=SEED)
    assert projected == pytest.approx(report.bytes, rel=0.05)
    assert projected == round(4000 * bytes_per_pair(part, config, seed=SEED))


def test_shard_size_follows_the_size_of_the_subgraphs():
    assert choose_shard_size(8192) == 4096
    assert choose_shard_size(0) == choose_shard_size(10) == 2**14
    assert choose_shard_size(1e12) == 1


@given(pair_bytes=st.floats(0, 1e13))
def test_a_shard_has_pairs_and_about_32_mib_at_most(pair_bytes):
    pairs = choose_shard_size(pair_bytes)
    assert 1 <= pairs <= 2**14
    assert pairs == 1 or pairs * pair_bytes <= 2**25
    assert pairs == 2**14 or (pairs + 1) * max(pair_bytes, 1) > 2**25, "as many as there is room for"


def test_a_sample_tells_the_same_each_time_and_is_all_that_is_extracted(monkeypatch):
    asked = []

    def watched(graph, user, item, config, *, seed):
        asked.append(len(user))
        return extract_subgraphs(graph, user, item, config, seed=seed)

    monkeypatch.setattr("igmc.extract.size.extract_subgraphs", watched)
    part = make_part(4000)
    first = bytes_per_pair(part, CONFIG, seed=1)
    assert sum(asked) == 1024
    assert bytes_per_pair(part, CONFIG, seed=1) == first
    assert bytes_per_pair(part, CONFIG, seed=2) == pytest.approx(first, rel=0.1)
    asked.clear()
    monkeypatch.setattr("igmc.extract.size.ENOUGH_BYTES", 10 * first)
    assert bytes_per_pair(part, CONFIG, seed=1) == pytest.approx(first, rel=0.2)
    assert sum(asked) == 32, "large subgraphs need no more than one block"


def test_a_part_without_pairs_takes_no_bytes():
    empty = Part("validation", make_part(10).graph, Pairs([], [], []))
    assert bytes_per_pair(empty, CONFIG, seed=1) == projected_bytes(empty, CONFIG, seed=1) == 0
