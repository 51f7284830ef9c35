"""Predictions of a trained run, for known and for new users and items."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.argument_types import checked_types
from igmc.config import COVERAGE, RunConfig
from igmc.errors import DataError
from igmc.graph import ServingGraph, make_parts
from igmc.inference.checkpoints import open_run, pick_epochs, run_side_features, run_split
from igmc.inference.id_encoding import ExtendedIds, check_known
from igmc.inference.item_info import ItemInfo
from igmc.inference.predictions import Predictions, predict_pairs
from igmc.inference.rating_encoding import OwnRatings, encode_ratings, own_ratings, rating_columns
from igmc.inference.relevance import RunRelevance
from igmc.inference.user_view import UserView
from igmc.networks import AnyScorer, RankerScorer, find_network
from igmc.ratings import (
    DataLike,
    IdTable,
    RatingScale,
    RawId,
    check_lengths,
    dense_indices,
    id_list,
    id_pairs,
)
from igmc.training import pick_device

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BasePredictor"]

REBUILD_SHARE = 0.25  # of the ratings: where patches hold more than this, the graph is sorted again


@dataclass(frozen=True, eq=False)
class BasePredictor:
    """The base of `igmc.inference.predictor.Predictor`, without lists and explanations.

    It is immutable: new ratings make another Predictor, or a `UserView`, which shares most of its memory. It
    is therefore safe to call from many threads, and no caller sees another's ratings. A prediction depends
    only on its pair and the known ratings, not on other pairs of the call; see `Scorer` for the precision.

    A pair's own rating is never used, even if known.

    Attributes:
        users, items: raw ids and their dense indices.
        scale: the levels of the ratings.
        graph: the known ratings, with a node for each id: all ratings of the split except the test part, and
            ratings added later.
        scorer: the models.
        config: of the run.
        epochs: of the checkpoints whose predictions are averaged.
        info: titles, genres and years of the items of the run; None if it has none.
        relevance: the ranker of the run; None without a run folder.
    """

    users: IdTable
    items: IdTable
    scale: RatingScale
    graph: ServingGraph
    scorer: AnyScorer
    config: RunConfig
    epochs: tuple[int, ...]
    info: ItemInfo | None = None
    relevance: RunRelevance | None = None

    @classmethod
    @checked_types
    def from_run(
        cls,
        folder: str | os.PathLike[str],
        *,
        checkpoints: str | int | None = None,
        device: str = "auto",
        workers: int | None = None,
        data: DataLike | None = None,
        data_dir: str | Path | None = None,
        home: str | Path | None = None,
    ) -> Self:
        """Load a run folder written by `igmc.train`, finished or not.

        Args:
            folder: of the run, or its report.
            checkpoints: see `igmc.inference.checkpoints.pick_epochs`.
            device: "auto", "cpu", "cuda" or "cuda:N".
            workers: threads; all cores if None.
            data: the data set of a run with side features; the one named in its settings if None.
            data_dir, home: folders of raw data; see `igmc.ratings.load.load_dataset`.

        Raises:
            CheckpointError: if it is not a run folder, or is damaged.
            ConfigError: if there is no such checkpoint or device.
            DataError: if side features are needed and the data are missing or not those of the run.
        """
        place, run = pick_device(device), open_run(folder)
        found = run.settings()
        config = run.config()
        split = run_split(run, found.get("split_digest"))
        asked, side = config.data if data is None else data, None
        if config.side_features:
            side = run_side_features(asked, found.get("data_digest"), data_dir, home)
        epochs = pick_epochs(run, config.training, checkpoints)
        network = find_network(config.network)
        known = make_parts(split, "fixed")["test"]
        how: dict[str, Any] = {"threads": workers, "side": side, "times": known.times}
        scorer = network.load_scorer(run, config, split.scale, epochs, place, **how)
        return cls(
            users=split.table.users,
            items=split.table.items,
            scale=split.scale,
            graph=ServingGraph.of(known.graph),
            scorer=scorer,
            config=config,
            epochs=tuple(epochs),
            info=ItemInfo.load(run.path, split.table.items),
            relevance=RunRelevance(run.path, split, config.training.selection, config.seed),
        )

    def __repr__(self) -> str:
        sizes = f"{self.graph.n_ratings:,} ratings, {len(self.users):,} users, {len(self.items):,} items"
        return f"{type(self).__name__}({self.config.network} on {self.config.data.dataset}: knows {sizes})"

    @property
    def rates(self) -> bool:
        """Whether it predicts ratings; runs of the network "ranker" only make lists."""
        return not isinstance(self.scorer, RankerScorer)

    @property
    def tells_intervals(self) -> bool:
        """Whether predictions have intervals; those of "rgcn" and of earlier versions have none."""
        return getattr(self.scorer, "intervals", None) is not None

    @checked_types
    def at(self, time: int) -> Self:
        """A predictor for another time than just after its newest rating.

        This matters for runs trained with dates, whose predictions depend on recent ratings. Ratings without
        a time count as the newest.

        Args:
            time: seconds since 1970 (UTC).

        Raises:
            ConfigError: if the run was trained without dates.
        """
        return dataclasses.replace(self, scorer=self.scorer.at(time))

    @checked_types
    def predict(
        self,
        user_ids: RawId | Iterable[RawId],
        item_ids: RawId | Iterable[RawId],
        *,
        clip: bool = True,
        coverage: float = COVERAGE,
    ) -> pd.DataFrame:
        """Predict the ratings of P pairs.

        Args:
            user_ids, item_ids: P raw ids each, as written in the data, known or unknown; a single id is
                combined with all ids of the other side.
            clip: clip scores to the rating scale.
            coverage: the probability that a rating lies between low and high.

        Returns:
            a row for each pair, in order: user_id, item_id, score (float32), source, and low and high
            (float32) if the run `tells_intervals`; see `Predictions`.

        Raises:
            ConfigError: if the coverage is not between 0 and 1.
            DataError: if the ids differ in number, or one is neither a whole number nor a text.
        """
        import pandas as pd

        users, items = id_pairs(user_ids, item_ids)
        index = self.users.encode(users), self.items.encode(items)
        found = predict_pairs(self.scorer, self.scale, self.graph, *index, clip=clip, coverage=coverage)
        return pd.DataFrame({"user_id": users, "item_id": items, **found.columns()})

    def predict_indices(self, user: ArrayLike, item: ArrayLike, **how: Any) -> Predictions:
        """As `predict`, for dense indices.

        Args:
            user, item: int [P], in the range of `users` and of `items`.
            **how: `clip` and `coverage`, as in `predict`; and `fallback`: whether to return damped means for
                pairs without a neighbourhood, the default, instead of predictions of the model.

        Raises:
            DataError: on indices that differ in number, are out of range, or not whole numbers.
        """
        users = dense_indices("user", user, self.graph.n_users)
        items = dense_indices("item", item, self.graph.n_items)
        check_lengths(user=users, item=items)
        how = {"clip": True} | how
        return predict_pairs(self.scorer, self.scale, self.graph, users, items, **how)

    def with_user(self, ratings: OwnRatings, user_id: RawId | None = None) -> UserView:
        """A view of one user with these ratings in addition to the known ones; nothing is trained or stored.

        Args:
            ratings: item id -> rating; may be empty or contain unknown items.
            user_id: the user. The ratings of a known user are added to the known ones, and replace those of
                the same items. None or an unknown id means a new user.

        Raises:
            ConfigError: if the ratings are not a mapping.
            DataError: on a rating that is not on the scale, or an id that is neither a whole number nor a
                text.
        """
        ratings = own_ratings(ratings)
        users = ExtendedIds.of(self.users, [] if user_id is None else [user_id])
        items = ExtendedIds.of(self.items, ratings)
        user = len(users) if user_id is None else int(users.encode([user_id])[0])
        n_users = max(len(users), user + 1)
        graph = self._extended(n_users, items, np.full(len(ratings), user), ratings, ratings.values())
        return UserView(user, self.graph, graph, items, self.scale, self.scorer)

    @checked_types
    def score_user(
        self,
        ratings: OwnRatings,
        items: RawId | Iterable[RawId],
        *,
        user_id: RawId | None = None,
        clip: bool = True,
        coverage: float = COVERAGE,
    ) -> pd.DataFrame:
        """Predict the ratings that a user with these ratings would give to some items.

        Args:
            ratings, user_id: see `with_user`; all rated items must be known.
            items: raw ids, or a single one; an item that the user has rated is predicted without that rating.
            clip: move scores beyond the ends of the scale to the nearer end.
            coverage: see `predict`.

        Returns:
            a row for each item, in order: item_id, score (float32), source, and low and high as in `predict`.

        Raises:
            DataError: on an unknown rated item, which could not affect a prediction; see `with_user`.
        """
        ratings = own_ratings(ratings)
        check_known(self.items, ratings)
        return self.with_user(ratings, user_id).score(id_list(items), clip=clip, coverage=coverage)

    def add_ratings(self, ratings: pd.DataFrame | Mapping[str, Iterable[Any]]) -> Self:
        """A predictor with these additional ratings, of known or new users and items; nothing is trained.

        The time is proportional to the ratings of the named users and items and, if ids are new, to the
        number of ids. Once additions exceed a quarter of the ratings, all are sorted again.

        Args:
            ratings: columns user_id, item_id and rating, each pair once; a known rating is replaced.

        Raises:
            DataError: on a missing column, columns of unequal length, a pair that occurs twice, a rating that
                is not on the scale, or an id that is neither a whole number nor a text.
        """
        user_ids, item_ids, values = rating_columns(ratings)
        users, items = ExtendedIds.of(self.users, user_ids), ExtendedIds.of(self.items, item_ids)
        seen: set[tuple[RawId, RawId]] = set()
        for pair in zip(user_ids, item_ids, strict=True):
            if pair in seen:
                raise DataError(
                    f"user {pair[0]!r} rates item {pair[1]!r} twice", allowed="each (user, item) pair once"
                )
            seen.add(pair)
        graph = self._extended(len(users), items, users.encode(user_ids), item_ids, values)
        if graph.n_patched > REBUILD_SHARE * graph.n_ratings:
            graph = ServingGraph.of(graph.rebuilt())
        return dataclasses.replace(self, users=users.merged(), items=items.merged(), graph=graph)

    def _extended(
        self,
        n_users: int,
        items: ExtendedIds,
        user: NDArray[np.integer],
        item_ids: Iterable[RawId],
        ratings: Iterable[object],
    ) -> ServingGraph:
        """The graph with n ratings more, by int [n] dense indices of users and n raw ids of items."""
        return self.graph.with_ratings(
            user,
            items.encode(item_ids),
            encode_ratings(self.scale, ratings),
            n_users=n_users,
            n_items=len(items),
        )
