"""Every knob of igmc, declared once: its default, range, unit and meaning.

The command line is generated from these declarations and checkpoints store them, so a knob that is
added here is at once an option, checked, documented and part of the digest.
"""

from igmc.config.base import Config, Former, knob
from igmc.config.presets import (
    PAPER_DATASETS,
    PRESETS,
    default_network,
    merged,
    preset_settings,
    run_config,
)
from igmc.config.run import SECTIONS, RunConfig, network_of
from igmc.config.sections import (
    MAX_LEVELS,
    SELECTIONS,
    DataConfig,
    ExplainConfig,
    ExtractConfig,
    ListConfig,
    ModelConfig,
    NeighboursConfig,
    ServeConfig,
    TrainConfig,
    TransferConfig,
)

__all__ = [
    "MAX_LEVELS",
    "PAPER_DATASETS",
    "PRESETS",
    "SECTIONS",
    "SELECTIONS",
    "Config",
    "DataConfig",
    "ExplainConfig",
    "ExtractConfig",
    "Former",
    "ListConfig",
    "ModelConfig",
    "NeighboursConfig",
    "RunConfig",
    "ServeConfig",
    "TrainConfig",
    "TransferConfig",
    "default_network",
    "knob",
    "merged",
    "network_of",
    "preset_settings",
    "run_config",
]
