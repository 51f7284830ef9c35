"""IGMC behind the interface of all recommenders, so that it stands in the same tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import mean
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from igmc.config import NETWORKS, Config, ExtractConfig, ModelConfig, TrainConfig, preset_settings
from igmc.errors import ConfigError
from igmc.graph import BipartiteGraph, Part
from igmc.loading import LiveSource, Loader, SupportDropout
from igmc.models import IGMC
from igmc.networks.rgcn import Scorer
from igmc.ratings import Pairs, RatingScale
from igmc.recommenders.base import Floats, Indices, Monitor, Recommender
from igmc.recommenders.biases import Biases
from igmc.recommenders.search_space import OneOf, Range
from igmc.recommenders.training_data import Ratings, TrainingData
from igmc.training import MemoryCheckpointer, chosen_epochs, fit, on_device, pick_device

__all__ = ["IGMCConfig", "IGMCRecommender", "steady_epoch"]

SCORE_BATCH = 256


@dataclass(frozen=True)
class IGMCConfig(Config):
    """What a run of IGMC is made of, but for its data."""

    extract: ExtractConfig = field(default_factory=ExtractConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)


class IGMCRecommender(Recommender):
    """IGMC (Zhang & Chen, ICLR 2020): the rating is read off the enclosing subgraph of the pair.

    Predictions are means over the ensemble of checkpoints. Where the user or the item has no known rating
    there is no subgraph to speak of: such a pair is rated by regularized biases.
    """

    name: ClassVar = "igmc"
    config_class: ClassVar = IGMCConfig
    fitted: ClassVar = ("states", "known", "scale")
    inductive: ClassVar = True

    states: dict[str, dict[str, torch.Tensor]]
    known: dict[str, NDArray[Any]]
    scale: dict[str, Any]

    @classmethod
    def preset(cls, dataset: str) -> dict[str, Any]:
        settings = preset_settings(dataset, "rgcn")
        return {section: settings[section] for section in NETWORKS["rgcn"].sections if section in settings}

    def search_space(self) -> dict[str, Range | OneOf]:
        # Around what the paper uses on one data set or another: rate 1e-3, ARR 0.001, four layers of 32, edge
        # dropout 0 or 0.2, MLP dropout 0.5; sums are what its code was tuned with, means what PyG does now.
        # The cap on neighbours is left alone: it is a matter of time more than of anything else.
        return {
            "train.learning_rate": Range(2e-4, 5e-3, log=True),
            "train.arr": Range(1e-5, 1e-1, log=True),
            "model.layers": OneOf(([32, 32], [32, 32, 32, 32], [64, 64, 64, 64])),
            "model.norm": OneOf(("none", "relation", "degree")),
            "model.edge_dropout": Range(0.0, 0.5),
            "model.mlp_dropout": Range(0.0, 0.7),
        }

    @property
    def uses_validation(self) -> bool:
        return bool(self.config.train.selection == "validation")

    def chosen_config(self) -> IGMCConfig:
        """Fixed epochs, as many as `steady_epoch` says.

        As in the paper, the ensemble comes from the later half of these.
        """
        config: IGMCConfig = self.config
        validation = [record["validation_rmse"] for record in self.history]
        if not self.uses_validation or None in validation or not validation:
            return config
        epochs, train = steady_epoch(validation), config.train
        size = min(train.ensemble_size, (epochs + 1) // 2)
        every = min(train.ensemble_every, max(1, epochs // (2 * size)))
        return config.replace(
            train=train.replace(selection="fixed", epochs=epochs, ensemble_size=size, ensemble_every=every)
        )

    def _fit(self, data: TrainingData, monitor: Monitor | None) -> None:
        config: IGMCConfig = self.config
        if config.model.side_features:
            raise ConfigError(
                "the harness does not support side features", remedy="use igmc-train --side-features"
            )
        data.scale.require_levels()
        train = config.train
        if not len(data.validation):
            train = train.replace(selection="fixed")
        self.scale = data.scale.to_dict()
        self.known = data.train.columns()
        self._restore()
        device = pick_device()
        model = self._network(len(data.scale))
        source = self._source(data.train, SupportDropout.of(train))
        training = Loader(source, train.batch_size, seed=self.seed, shuffle=True)
        validation = None
        if train.selection == "validation":
            validation = Loader(self._source(data.validation), SCORE_BATCH)
        checkpoints = MemoryCheckpointer()
        with on_device(device):
            self.history = fit(
                model, training, validation, train, checkpoints, device, progress=False, monitor=monitor
            )
        epochs = chosen_epochs(train, [record["validation_rmse"] for record in self.history])
        self.states = {str(epoch): checkpoints.load_epoch(epoch)["model"] for epoch in epochs}

    def _restore(self) -> None:
        """The graph of the known ratings, and biases for pairs that have no subgraph."""
        known = Ratings(**self.known)
        scale = RatingScale.from_dict(self.scale)
        self.graph = BipartiteGraph.from_ratings(
            known.user,
            known.item,
            scale.encode(known.rating),
            n_users=self.n_users,
            n_items=self.n_items,
            n_levels=len(scale),
        )
        nothing = Ratings(*(array[:0] for array in self.known.values()))
        self.fallback = Biases().fit(TrainingData(known, nothing, self.n_users, self.n_items, scale))

    def _fold_in(self, support: Ratings) -> None:
        self.known = (Ratings(**self.known) + support).columns()
        self._restore()

    def _predict(self, user: Indices, item: Indices) -> Floats:
        answers = self.fallback.predict(user, item)
        graph = self.graph
        degrees = np.diff(graph.user_ptr)[user], np.diff(graph.item_ptr)[item]
        rows = np.flatnonzero((degrees[0] > 0) & (degrees[1] > 0))
        if len(rows):
            answers[rows] = self._scorer().score(self.graph, user[rows], item[rows]).mean(axis=0)
        return answers

    def _scores(self, users: Indices) -> Floats:
        items = np.arange(self.n_items, dtype=np.int32)
        pairs = np.repeat(users, self.n_items), np.tile(items, len(users))
        return self._predict(*pairs).reshape(len(users), self.n_items)

    def _scorer(self) -> Scorer:
        """The checkpoints, to be asked about any pairs of the graph."""
        device, models = pick_device(), []
        for state in self.states.values():
            model = self._network(self.graph.n_levels)
            model.load_state_dict(state)
            models.append(model.to(device))
        return Scorer(models, self.config.extract, seed=self.seed, device=device)

    def _network(self, n_levels: int) -> IGMC:
        config: IGMCConfig = self.config
        return IGMC(config.model, n_levels=n_levels, hops=config.extract.hops, seed=self.seed)

    def _source(self, asked: Ratings, dropout: SupportDropout | None = None) -> LiveSource:
        """Subgraphs of these pairs, cut out of the known ratings."""
        part = Part("", self.graph, Pairs(asked.user, asked.item, asked.rating))
        return LiveSource(part, self.config.extract, seed=self.seed, support_dropout=dropout)


def steady_epoch(errors: Sequence[float]) -> int:
    """The epoch, from 1, at which to end another training: it has its own noise, but the same course.

    On a small validation part the lowest error of all epochs is often luck, which the other training will not
    have; in the first epochs above all, while the network has hardly begun. So it is the epoch with the
    lowest mean over itself and its two neighbours, in the later half of the epochs, which early stopping has
    measured like the others; the earlier of equals.

    Args:
        errors: on the validation part after each epoch, at least one.

    >>> steady_epoch([0.82, 0.75, 0.84, 0.80, 0.79, 0.83])
    5
    """
    smooth = [mean(errors[max(0, k - 1) : k + 2]) for k in range(len(errors))]
    return 1 + min(range(len(errors) // 2, len(errors)), key=smooth.__getitem__)
