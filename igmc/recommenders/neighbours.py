"""The neighbours network behind the interface of all recommenders, so that it stands in the same tables."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from igmc.config import NeighboursConfig, RunConfig, preset_settings
from igmc.estimates import FactorEstimates
from igmc.graph import BipartiteGraph, RatingTimes
from igmc.loading import pair_width
from igmc.models import NeighboursEnsemble
from igmc.networks.neighbours import GraphEstimates, NeighbourScorer, known_ratings
from igmc.ratings import UNKNOWN_TIME, Pairs, RatingScale
from igmc.recommenders.base import Floats, Indices, Monitor, Recommender
from igmc.recommenders.search_space import OneOf, Range
from igmc.recommenders.training_data import Ratings, TrainingData
from igmc.threads import cores
from igmc.training import MemoryCheckpointer, chosen_epochs, fit_neighbours, on_device, pick_device

__all__ = ["NeighboursRecommender"]


class NeighboursRecommender(Recommender):
    """A learned neighbourhood method on closed-form statistics; see `igmc.models.neighbours.network`.

    New ratings count at once: the statistics are made anew with them. A user or item without any rating has
    no neighbours on that side, and is rated by what is known of the other one.
    """

    name: ClassVar = "neighbours"
    config_class: ClassVar = NeighboursConfig
    fitted: ClassVar = ("state", "known", "scale", "estimates", "dates")
    inductive: ClassVar = True

    state: dict[str, torch.Tensor]
    known: dict[str, NDArray[Any]]
    scale: dict[str, Any]
    estimates: dict[str, dict[str, Any]]
    dates: str | None

    @classmethod
    def preset(cls, dataset: str) -> dict[str, Any]:
        settings: dict[str, Any] = preset_settings(dataset, "neighbours").get("neighbours", {})
        return settings

    def search_space(self) -> dict[str, Range | OneOf]:
        return {
            "learning_rate": Range(1e-3, 2e-2, log=True),
            "weight_decay": Range(1e-5, 1e-1, log=True),
            "dropout": Range(0.0, 0.5),
            "max_neighbors": OneOf((50, 100, 200, 400)),
            "epochs": OneOf((4, 8, 16, 32)),
        }

    @property
    def uses_validation(self) -> bool:
        return bool(self.config.selection == "validation")

    def chosen_config(self) -> NeighboursConfig:
        """Fixed epochs, as many as were configured: one lucky epoch says nothing about another training."""
        config: NeighboursConfig = self.config
        return config.replace(selection="fixed") if self.history else config

    def _fit(self, data: TrainingData, monitor: Monitor | None) -> None:
        config: NeighboursConfig = self.config.for_times(bool(np.any(data.train.timestamp != UNKNOWN_TIME)))
        self.dates = config.date_kind
        if not len(data.validation):
            config = config.replace(selection="fixed")
        self.scale = data.scale.to_dict()
        self.known = data.train.columns()
        validation, device, checkpoints = None, pick_device(), MemoryCheckpointer()
        if config.selection == "validation":
            held = data.validation
            validation = Pairs(held.user, held.item, held.rating, held.timestamp)
        with on_device(device):
            self.history = fit_neighbours(
                known_ratings(self._graph(), data.scale, self._times()),
                validation,
                config,
                checkpoints,
                device,
                seed=self.seed,
                progress=False,
                monitor=monitor,
            )
        selection = RunConfig(network="neighbours", neighbours=config).training
        epoch = chosen_epochs(selection, [record["validation_rmse"] for record in self.history])[0]
        self.state = checkpoints.load_epoch(epoch)["model"]
        known = known_ratings(self._graph(), data.scale)
        fitted = known.estimate(config.estimators, seed=self.seed, threads=cores())
        self.estimates = {name: one.state() for name, one in zip(config.estimators, fitted, strict=True)}
        self._restore()

    def _restore(self) -> None:
        self._made = tuple(map(FactorEstimates.from_state, self.estimates.values()))

    def _fold_in(self, support: Ratings) -> None:
        items = np.setdiff1d(support.item, self.known["item"])
        self.known = (Ratings(**self.known) + support).columns()
        ratings = [self.known[name] for name in ("user", "item", "rating")]
        users = np.unique(support.user)
        self._made = tuple(one.fold_in(*ratings, users=users, items=items) for one in self._made)

    def _predict(self, user: Indices, item: Indices) -> Floats:
        return self._predict_at(user, item, None)

    def _predict_at(self, user: Indices, item: Indices, time: NDArray[np.int64] | None) -> Floats:
        found: Floats = self._scorer().score(self._graph(), user, item, time=time)[0]
        return found

    def _scores(self, users: Indices) -> Floats:
        items = np.arange(self.n_items, dtype=np.int32)
        pairs = np.repeat(users, self.n_items), np.tile(items, len(users))
        return self._predict(*pairs).reshape(len(users), self.n_items)

    def _graph(self) -> BipartiteGraph:
        known, scale = Ratings(**self.known), RatingScale.from_dict(self.scale)
        return BipartiteGraph.from_ratings(
            known.user,
            known.item,
            scale.encode(known.rating),
            n_users=self.n_users,
            n_items=self.n_items,
            n_levels=len(scale),
        )

    def _times(self) -> RatingTimes | None:
        known = Ratings(**self.known)
        return RatingTimes.of(known.user, known.item, known.timestamp)

    def _scorer(self) -> NeighbourScorer:
        config: NeighboursConfig = self.config
        device, scale = pick_device(), RatingScale.from_dict(self.scale)
        width = pair_width(config.estimators, self.dates)
        model = NeighboursEnsemble(config.members, pair_width=width, dropout=config.dropout, seed=self.seed)
        model.load_state_dict(self.state)
        return NeighbourScorer(
            [model.to(device)],
            scale.values,
            cap=config.max_neighbors,
            device=device,
            estimates=GraphEstimates(config.estimators, self.seed, made=self._made),
            dates=self.dates,
            times=self._times(),
        )
