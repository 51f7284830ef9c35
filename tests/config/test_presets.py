"""What a data set brings."""

import pytest

from igmc.config import (
    NETWORKS,
    PAPER_DATASETS,
    PRESETS,
    RunConfig,
    default_network,
    preset_settings,
    run_config,
)
from igmc.errors import ConfigError
from igmc.ratings.sources import DATASETS


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("dataset", PRESETS)
def test_every_preset_is_a_valid_partial_configuration(dataset, network):
    settings = preset_settings(dataset, network)
    config = RunConfig.from_dict(settings)
    assert config.network == network
    settings.clear()
    assert RunConfig.from_dict(preset_settings(dataset, network)) == config, "the caller's copy is its own"


def test_the_papers_data_sets_bring_its_network_and_all_others_ours():
    for dataset in DATASETS:
        assert default_network(dataset) == ("rgcn" if dataset in PAPER_DATASETS else "neighbours")
    assert default_network("own/ratings.csv") == "neighbours"
    assert default_network("ML-100K") == "rgcn"
    assert default_network("ML-100K", implicit=True) == "ranker"
    assert set(PAPER_DATASETS) <= set(DATASETS)
    assert run_config().network == "neighbours"
    assert run_config("ml_1m").network == "rgcn"


def test_the_papers_settings():
    ml_1m = run_config("ml_1m")
    assert (ml_1m.extract.max_nodes_per_hop, ml_1m.model.edge_dropout) == (100, 0.0)
    assert ml_1m.model.init == "uniform"
    assert (ml_1m.train.epochs, ml_1m.train.decay_every, ml_1m.train.ensemble_every) == (40, 20, 5)
    ml_100k = run_config("ml_100k")
    assert (ml_100k.extract.max_nodes_per_hop, ml_100k.train.epochs, ml_100k.train.decay_every) == (
        200,
        80,
        50,
    )
    assert preset_settings("flixster") == {"network": "rgcn"}
    assert RunConfig().train.epochs == 40


def test_what_is_chosen_goes_before_what_the_data_set_brings():
    config = run_config("ml_1m", {"network": "neighbours", "neighbours": {"epochs": 2}, "seed": 3})
    assert (config.network, config.neighbours.epochs, config.seed) == ("neighbours", 2, 3)
    assert config.data.dataset == "ml_1m"
    assert run_config("ml_1m", {"train": {"arr": 0.0}}).train.epochs == 40
    assert run_config("ML-1M").train.epochs == 40
    assert run_config("demo", {"train": {"epochs": 3}}).network == "rgcn", "whose section it is"
    assert run_config(chosen={"data": {"dataset": "ml_1m"}}).data.dataset == "ml_1m"
    with pytest.raises(ConfigError, match="train holds settings of the network rgcn"):
        run_config("demo", {"train": {"epochs": 2}, "network": "neighbours"})
