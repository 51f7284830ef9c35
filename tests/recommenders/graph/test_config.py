import pytest

from igmc.errors import ConfigError
from igmc.recommenders.graph import (
    FeatureConfig,
    GATConfig,
    GraphConfig,
    GraphSAGEConfig,
    LightGCNConfig,
    NGCFConfig,
)

SHARED = ("objective", "learning_rate", "l2", "batch_size", "epochs", "patience")
SHARED += ("dim", "layers", "edge_weight", "half_life", "edge_dropout", "neighbors")
OF_FEATURES = ("inputs", "tag_rank", "dropout", "weight_decay")


@pytest.mark.parametrize(
    ("config", "more"),
    [
        (GraphConfig, ()),
        (LightGCNConfig, ()),
        (NGCFConfig, ("dropout", "weight_decay")),
        (FeatureConfig, OF_FEATURES),
        (GraphSAGEConfig, OF_FEATURES),
        (GATConfig, (*OF_FEATURES, "heads")),
    ],
)
def test_settings_keep_their_names_and_order(config, more):
    """Models of yesterday are saved with them."""
    assert tuple(config().to_dict()) == (*SHARED, *more)
    assert config.from_dict(config().to_dict()) == config()


def test_fan_outs_are_numbers_from_1_on():
    assert GraphConfig.from_dict({"neighbors": [5, 3]}).neighbors == (5, 3)
    with pytest.raises(ConfigError, match=r"neighbors is out of range; got .*0"):
        GraphConfig(neighbors=(5, 0))


@pytest.mark.parametrize(
    "setting", [{"objective": "both"}, {"edge_weight": "age"}, {"inputs": "tags"}, {"dropout": 1.0}]
)
def test_other_values_are_refused(setting):
    with pytest.raises(ConfigError, match=next(iter(setting))):
        FeatureConfig(**setting)
