"""Inductive graph-based matrix completion: ratings for users and items never seen in training.

The public names below are loaded when they are first used, so that ``import igmc`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0.dev0"

if TYPE_CHECKING:
    from igmc.config import DataConfig, ExtractConfig, ModelConfig, RunConfig, TrainConfig, TransferConfig
    from igmc.errors import IgmcError
    from igmc.evaluation.harness import evaluate
    from igmc.evaluation.report import RunReport
    from igmc.evaluation.transfer import transfer
    from igmc.extract.pool import extract_store
    from igmc.graph.kernel import extract_subgraphs
    from igmc.graph.parts import make_parts
    from igmc.inference.explain import explain
    from igmc.inference.predictor import Predictor, predict
    from igmc.inference.recommend import recommend
    from igmc.models.igmc import IGMC
    from igmc.ratings.convert import to_hetero, to_networkx, to_pyg
    from igmc.ratings.dataset import load_dataset
    from igmc.ratings.describe import describe
    from igmc.ratings.split import make_split
    from igmc.run import train

_HOMES = {
    "DataConfig": "igmc.config",
    "ExtractConfig": "igmc.config",
    "ModelConfig": "igmc.config",
    "RunConfig": "igmc.config",
    "TrainConfig": "igmc.config",
    "TransferConfig": "igmc.config",
    "IgmcError": "igmc.errors",
    "load_dataset": "igmc.ratings.dataset",
    "describe": "igmc.ratings.describe",
    "to_networkx": "igmc.ratings.convert",
    "to_pyg": "igmc.ratings.convert",
    "to_hetero": "igmc.ratings.convert",
    "make_split": "igmc.ratings.split",
    "make_parts": "igmc.graph.parts",
    "extract_subgraphs": "igmc.graph.kernel",
    "evaluate": "igmc.evaluation.harness",
    "extract_store": "igmc.extract.pool",
    "IGMC": "igmc.models.igmc",
    "explain": "igmc.inference.explain",
    "Predictor": "igmc.inference.predictor",
    "predict": "igmc.inference.predictor",
    "recommend": "igmc.inference.recommend",
    "RunReport": "igmc.evaluation.report",
    "train": "igmc.run",
    "transfer": "igmc.evaluation.transfer",
}

__all__ = [
    "IGMC",
    "DataConfig",
    "ExtractConfig",
    "IgmcError",
    "ModelConfig",
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
    "load_dataset",
    "make_parts",
    "make_split",
    "predict",
    "recommend",
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
    raise AttributeError(f"module 'igmc' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
