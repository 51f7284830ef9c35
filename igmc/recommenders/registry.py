"""The recommenders by name. A new one needs a line here, and nothing else outside its own module."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from igmc.errors import CheckpointError, ConfigError
from igmc.recommenders.base import Recommender
from igmc.training import load_checkpoint

__all__ = ["RECOMMENDERS", "load_recommender", "make_recommender", "recommender_class"]

# name: module:class, loaded when asked for
RECOMMENDERS: dict[str, str] = {
    "global_mean": "igmc.recommenders.means:GlobalMean",
    "user_mean": "igmc.recommenders.means:UserMean",
    "item_mean": "igmc.recommenders.means:ItemMean",
    "user_item_mean": "igmc.recommenders.means:UserItemMean",
    "popularity": "igmc.recommenders.popularity:Popularity",
    "biases": "igmc.recommenders.biases:Biases",
    "item_knn": "igmc.recommenders.knn:ItemKNN",
    "user_knn": "igmc.recommenders.knn:UserKNN",
    "ease": "igmc.recommenders.linear:EASE",
    "slim": "igmc.recommenders.linear:SLIM",
    "rp3beta": "igmc.recommenders.linear:RP3Beta",
    "multvae": "igmc.recommenders.multvae:MultVAE",
    "mf": "igmc.recommenders.factorization:MF",
    "ials": "igmc.recommenders.factorization:IALS",
    "svdpp": "igmc.recommenders.factorization:SVDpp",
    "gcn": "igmc.recommenders.graph:GCN",
    "gat": "igmc.recommenders.graph:GAT",
    "graphsage": "igmc.recommenders.graph:GraphSAGE",
    "ngcf": "igmc.recommenders.graph:NGCF",
    "lightgcn": "igmc.recommenders.graph:LightGCN",
    "igmc": "igmc.recommenders.igmc:IGMCRecommender",
    "ranker": "igmc.recommenders.ranker:RankerRecommender",
    "neighbours": "igmc.recommenders.neighbours:NeighboursRecommender",
}


def recommender_class(name: str) -> type[Recommender]:
    """The class of a recommender.

    Raises:
        ConfigError: on an unknown name.
    """
    if not isinstance(name, str):
        raise ConfigError("unknown recommender", got=name, allowed=", ".join(RECOMMENDERS))
    key = name.lower().replace("-", "_")
    if key not in RECOMMENDERS:
        near = difflib.get_close_matches(key, RECOMMENDERS, n=3)
        raise ConfigError(
            "unknown recommender",
            got=name,
            allowed=", ".join(RECOMMENDERS),
            remedy=f"did you mean {' or '.join(near)}?" if near else None,
        )
    module, _, cls = RECOMMENDERS[key].partition(":")
    found: type[Recommender] = getattr(import_module(module), cls)
    return found


def make_recommender(name: str, settings: Mapping[str, Any] | None = None, *, seed: int = 1) -> Recommender:
    """A recommender that is yet to be fitted.

    Args:
        name: one of `RECOMMENDERS`; hyphens and any case are accepted.
        settings: those that differ from the defaults of its `config_class`.
        seed: of everything random in it.

    Raises:
        ConfigError: on an unknown name, an unknown setting, or a value that is not allowed.
    """
    cls = recommender_class(name)
    return cls(cls.config_class.from_dict(settings or {}), seed=seed)


def load_recommender(path: str | Path) -> Recommender:
    """Read a recommender that was saved, whichever it is.

    Raises:
        CheckpointError: if the file is missing, damaged, or does not hold a recommender of this version.
    """
    name = load_checkpoint(Path(path)).get("recommender")
    if name not in RECOMMENDERS:
        raise CheckpointError(
            f"{path} does not hold a recommender", got=name, allowed=", ".join(RECOMMENDERS)
        )
    return recommender_class(name).load(path)
