"""The size of a store is foretold from a sample of its pairs."""

import pytest

from igmc.config import ExtractConfig
from igmc.extract.pool import extract_store
from igmc.extract.size import bytes_per_pair, choose_shard_size, projected_bytes
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
