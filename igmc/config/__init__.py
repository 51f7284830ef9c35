"""Every knob of igmc, declared once: its default, range, unit and meaning.

The command line is generated from these declarations and checkpoints store them, so a knob that is
added here is at once an option, checked, documented and part of the digest.
"""

from igmc.config.base import Config, Former, knob
from igmc.config.data import MAX_LEVELS, DataConfig
from igmc.config.neighbours import NeighboursConfig
from igmc.config.networks import FIRST_NETWORK, NETWORKS, Registration
from igmc.config.presets import (
    PAPER_DATASETS,
    PRESETS,
    default_network,
    merged,
    preset_settings,
    run_config,
    sectioned,
)
from igmc.config.ranker import RankerConfig
from igmc.config.run import RunConfig, network_of, network_with, others_settings
from igmc.config.sections import (
    BLENDED,
    COVERAGE,
    COVERAGE_HELP,
    SELECTIONS,
    ExplainConfig,
    ExtractConfig,
    ListConfig,
    ModelConfig,
    ServeConfig,
    TrainConfig,
    TransferConfig,
)

__all__ = [
    "BLENDED",
    "COVERAGE",
    "COVERAGE_HELP",
    "FIRST_NETWORK",
    "MAX_LEVELS",
    "NETWORKS",
    "PAPER_DATASETS",
    "PRESETS",
    "SELECTIONS",
    "Config",
    "DataConfig",
    "ExplainConfig",
    "ExtractConfig",
    "Former",
    "ListConfig",
    "ModelConfig",
    "NeighboursConfig",
    "RankerConfig",
    "Registration",
    "RunConfig",
    "ServeConfig",
    "TrainConfig",
    "TransferConfig",
    "default_network",
    "knob",
    "merged",
    "network_of",
    "network_with",
    "others_settings",
    "preset_settings",
    "run_config",
    "sectioned",
]
