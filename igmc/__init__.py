"""Inductive graph-based matrix completion: ratings for users and items never seen in training.

The public names below are loaded when they are first used, so that ``import igmc`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0.dev1"

if TYPE_CHECKING:
    from igmc.config import (
        DataConfig,
        ExtractConfig,
        ModelConfig,
        NeighboursConfig,
        RunConfig,
        TrainConfig,
        TransferConfig,
        run_config,
    )
    from igmc.errors import IgmcError
    from igmc.evaluation import evaluate
    from igmc.evaluation.transfer import transfer
    from igmc.extract import extract_store
    from igmc.graph import extract_subgraphs, make_parts
    from igmc.inference import Predictor, predict
    from igmc.inference.lists import recommend
    from igmc.inference.why import explain
    from igmc.models import IGMC
    from igmc.ratings import Dataset, load_dataset, make_split, to_hetero, to_networkx, to_pyg
    from igmc.ratings.description import describe
    from igmc.recommenders import fit
    from igmc.run import train
    from igmc.run_report import RunReport

_HOMES = {
    "DataConfig": "igmc.config",
    "ExtractConfig": "igmc.config",
    "ModelConfig": "igmc.config",
    "NeighboursConfig": "igmc.config",
    "RunConfig": "igmc.config",
    "TrainConfig": "igmc.config",
    "TransferConfig": "igmc.config",
    "run_config": "igmc.config",
    "IgmcError": "igmc.errors",
    "Dataset": "igmc.ratings",
    "fit": "igmc.recommenders",
    "load_dataset": "igmc.ratings",
    "describe": "igmc.ratings.description",
    "to_networkx": "igmc.ratings",
    "to_pyg": "igmc.ratings",
    "to_hetero": "igmc.ratings",
    "make_split": "igmc.ratings",
    "make_parts": "igmc.graph",
    "extract_subgraphs": "igmc.graph",
    "evaluate": "igmc.evaluation",
    "extract_store": "igmc.extract",
    "IGMC": "igmc.models",
    "explain": "igmc.inference.why",
    "Predictor": "igmc.inference",
    "predict": "igmc.inference",
    "recommend": "igmc.inference.lists",
    "RunReport": "igmc.run_report",
    "train": "igmc.run",
    "transfer": "igmc.evaluation.transfer",
}

__all__ = [
    "IGMC",
    "DataConfig",
    "Dataset",
    "ExtractConfig",
    "IgmcError",
    "ModelConfig",
    "NeighboursConfig",
    "Predictor",
    "RunConfig",
    "RunReport",
    "TrainConfig",
    "TransferConfig",
    "__version__",
    "describe",
    "evaluate",
    "explain",
    "extract_store",
    "extract_subgraphs",
    "fit",
    "load_dataset",
    "make_parts",
    "make_split",
    "predict",
    "recommend",
    "run_config",
    "to_hetero",
    "to_networkx",
    "to_pyg",
    "train",
    "transfer",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    if name == "recommenders":  # ``igmc.recommenders.MF``, without an import of its own
        return import_module("igmc.recommenders")
    raise AttributeError(f"module 'igmc' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
