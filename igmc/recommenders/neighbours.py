"""The neighbours network behind the interface of all recommenders, so that it stands in the same tables."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from igmc.config import COVERAGE, NeighboursConfig, RunConfig, preset_settings
from igmc.estimates import FactorEstimates
from igmc.graph import BipartiteGraph, RatingTimes
from igmc.intervals import check_coverage
from igmc.loading import pair_width
from igmc.models import NeighboursEnsemble
from igmc.networks.neighbours import GraphEstimates, NeighbourScorer, choose_estimates, known_ratings
from igmc.ratings import UNKNOWN_TIME, Pairs, RatingScale
from igmc.recommenders.base import Floats, Indices, Monitor, Recommender
from igmc.recommenders.search_space import OneOf, Range
from igmc.recommenders.training_data import Ratings, TrainingData
from igmc.threads import cores
from igmc.training import (
    MemoryCheckpointer,
    chosen_epochs,
    fit_neighbours,
    on_device,
    pick_device,
    unpacked_intervals,
)

__all__ = ["NeighboursRecommender"]


class NeighboursRecommender(Recommender):
    """A learned neighbourhood method on closed-form statistics; see `igmc.models.neighbours.network`.

    New ratings count at once: the statistics are made anew with them. A user or item without any rating has
    no neighbours on that side, and is rated by what is known of the other one.
    """

    name: ClassVar = "neighbours"
    config_class: ClassVar = NeighboursConfig
    fitted: ClassVar = ("state", "known", "scale", "estimates", "dates", "intervals")
    added: ClassVar = ("intervals",)
    inductive: ClassVar = True

    state: dict[str, torch.Tensor]
    known: dict[str, NDArray[Any]]
    scale: dict[str, Any]
    estimates: dict[str, dict[str, Any]]
    dates: str | None
    intervals: dict[str, Any] | None

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
        """Fixed epochs, as many as were configured: one lucky epoch says nothing about another training.

        And the estimates that were chosen, where they were "auto".
        """
        config: NeighboursConfig = self.config
        chosen = ",".join(self.estimates) or "none" if self.history else config.estimates
        return config.replace(selection="fixed", estimates=chosen) if self.history else config

    def _fit(self, data: TrainingData, monitor: Monitor | None) -> None:
        config: NeighboursConfig = self.config.for_times(bool(np.any(data.train.timestamp != UNKNOWN_TIME)))
        self.dates = config.date_kind
        if not len(data.validation):
            config = config.replace(selection="fixed")
        self.scale = data.scale.to_dict()
        self.known = data.train.columns()
        validation, device = None, pick_device()
        side = data.side_information() if config.side_features else None
        if config.selection == "validation":
            held = data.validation
            validation = Pairs(held.user, held.item, held.rating, held.timestamp)
        checkpoints: MemoryCheckpointer
        with on_device(device):
            if config.estimates == "auto":
                asked = self._graph(), data.scale, self._times(), validation, config, device
                choice = choose_estimates(*asked, seed=self.seed, progress=False, monitor=monitor)
                config, checkpoints = choice.config, choice.checkpoints
                self.history = (checkpoints.latest() or {})["history"]
            else:
                checkpoints = MemoryCheckpointer()
                self.history = fit_neighbours(
                    known_ratings(self._graph(), data.scale, self._times(), side),
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
        saved = checkpoints.load_epoch(epoch)
        self.state, self.intervals = saved["model"], saved["intervals"]
        known = known_ratings(self._graph(), data.scale, side=side)
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

    def predict_with_bounds(
        self,
        user: ArrayLike,
        item: ArrayLike,
        time: NDArray[np.int64] | None = None,
        *,
        coverage: float = COVERAGE,
    ) -> tuple[Floats, Floats | None]:
        """See `Recommender.predict_with_bounds`; models saved by earlier versions tell no intervals."""
        scorer = self._scorer()
        if scorer.intervals is None:
            return self.predict(user, item, time), None
        users, items = self._indices("user", user, self.n_users), self._indices("item", item, self.n_items)
        found = scorer.answers(self._graph(), users, items, time=time)
        width = scorer.intervals.half_width(found.spread, check_coverage(coverage))
        return found.score[0], np.stack([found.score[0] - width, found.score[0] + width])

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
        width = pair_width(tuple(self.estimates), self.dates)
        model = NeighboursEnsemble(config.members, pair_width=width, dropout=config.dropout, seed=self.seed)
        model.load_state_dict(self.state)
        return NeighbourScorer(
            [model.to(device)],
            scale.values,
            cap=config.max_neighbors,
            device=device,
            estimates=GraphEstimates(tuple(self.estimates), self.seed, made=self._made),
            dates=self.dates,
            times=self._times(),
            intervals=unpacked_intervals(self.intervals),
        )
