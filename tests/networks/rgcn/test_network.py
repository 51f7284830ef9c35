"""What the paper's network refuses before it trains."""

from types import SimpleNamespace

import pytest

from igmc.config import ModelConfig, RunConfig
from igmc.errors import ConfigError
from igmc.networks.rgcn.network import NETWORK


def test_batch_normalization_is_refused_where_several_processes_share_a_batch():
    config = RunConfig(network="rgcn", model=ModelConfig(batch_norm=True))
    job = SimpleNamespace(config=config, parts={}, side=None, ranks=SimpleNamespace(size=2))
    with pytest.raises(ConfigError, match=r"needs the whole batch in one process; got '--batch-norm'"):
        NETWORK.train(job)
