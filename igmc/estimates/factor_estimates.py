"""Ratings estimated by Bayesian matrix factorization, as inputs of other models and on their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.errors import DataError
from igmc.estimates.factor_side import FactorSide
from igmc.estimates.folding_kernels import PriorTable
from igmc.estimates.lanes import from_lanes, to_lanes
from igmc.estimates.pair_kernels import pair_moments
from igmc.estimates.prior import prior_table, stranger
from igmc.estimates.sampler import Draw, Sampler, SideDraw

__all__ = ["FactorEstimates"]

Floats = NDArray[np.float32]
Ids = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class FactorEstimates:
    """``mean + deviation * (p_u . q_i + b_u + b_i)`` in S draws from the posterior. Make one with `fit`.

    A draw holds the item vectors as drawn, and of the user vectors their expectation given these: the average
    over draws is then the same, but with less noise (Rao & Blackwell). It is also just what a new user gets
    in `fold_in`, so a user whose ratings come after the fit is served like one who was there. Nothing in it
    ever changes, and all methods may be called from several threads.

    Attributes:
        mean, deviation: of the ratings that it was fitted to.
        draws: S.
        alpha: float32 [G, 8], the precision of the noise.
        users, items: the vectors of both sides.
    """

    mean: float
    deviation: float
    draws: int
    alpha: Floats
    users: FactorSide
    items: FactorSide

    @classmethod
    def fit(
        cls,
        user: Ids,
        item: Ids,
        rating: ArrayLike,
        *,
        n_users: int,
        n_items: int,
        factors: int = 16,
        implicit: bool = True,
        burn_in: int = 40,
        draws: int = 16,
        thin: int = 2,
        seed: int = 1,
        threads: int = 1,
    ) -> Self:
        """Sample from the posterior given n ratings; equal arguments give equal estimates.

        The number of threads changes nothing but the time.

        Args:
            user, item: int32 [n], dense indices; no pair twice.
            rating: float [n], at least one.
            n_users, n_items: sizes of both sides.
            factors: numbers for each user and item, besides the bias.
            implicit: whether vectors depend on what was rated at all too (SVD++).
            burn_in: sweeps of the sampler before draws are kept.
            draws: number of draws that are kept.
            thin: sweeps from one of them to the next.
            seed: of all draws.
            threads: at most.

        Raises:
            DataError: without ratings, or if one is not finite.
        """
        values = np.asarray(rating, np.float32)
        mean, deviation = moments(values)
        sampler = Sampler(
            user,
            item,
            (values - np.float32(mean)) / np.float32(deviation),
            n_users=n_users,
            n_items=n_items,
            factors=factors,
            implicit=implicit,
            seed=seed,
            threads=threads,
        )
        kept = []
        for sweep in range(1, burn_in + draws * thin + 1):
            sampler.sweep()
            if sweep > burn_in and (sweep - burn_in) % thin == 0:
                kept.append(sampler.draw())
        return cls.of_draws(kept, sampler, mean, deviation)

    @classmethod
    def of_draws(cls, draws: Sequence[Draw], sampler: Sampler, mean: float, deviation: float) -> Self:
        """The estimates by some draws of a sampler; mean and deviation of the ratings that it was given."""
        user, item = sampler.user, sampler.item
        users = _side([draw.users for draw in draws])
        items = _side([draw.items for draw in draws])
        items.vectors[:, np.diff(item.ratings.ptr) == 0] = stranger(items.prior)
        alpha = to_lanes(np.array([draw.alpha for draw in draws]))
        vectors = users.expected(user.ratings, items.known(alpha, users.links), sampler.threads)
        users = replace(users, vectors=vectors)
        return cls(mean, deviation, len(draws), alpha, users, items)

    @property
    def n_users(self) -> int:
        """Users that the fit knew of; others have indices beyond."""
        return self.users.vectors.shape[1]

    @property
    def n_items(self) -> int:
        """Items that the fit knew of."""
        return self.items.vectors.shape[1]

    @property
    def factors(self) -> int:
        return self.users.vectors.shape[2] - 1

    @property
    def implicit(self) -> bool:
        """Whether the vectors depend on what was rated at all too."""
        return bool(self.users.links.shape[1])

    def features(self, user: Ids, item: Ids) -> tuple[Floats, Floats]:
        """Mean and standard deviation of the posterior of P pairs, in ratings.

        Args:
            user, item: int32 [P], dense indices, also beyond those of the fit: of whom nothing is known,
                gets what is expected of anybody.

        Returns:
            float32 [P] each.

        Raises:
            DataError: on an index below 0.
        """
        users, items = self.users.locate(user), self.items.locate(item)
        mean, variance = np.empty(len(users), np.float32), np.empty(len(users), np.float32)
        new_user, new_item = users >= self.n_users, items >= self.n_items
        kind = 2 * new_user + new_item
        for each in np.unique(kind):
            rows = np.flatnonzero(kind == each)
            left, right = users[rows], items[rows]
            here = np.empty(len(rows), np.float32), np.empty(len(rows), np.float32)
            sides = (
                self.users.patch if each & 2 else self.users.vectors,
                self.items.patch if each & 1 else self.items.vectors,
            )
            if each & 2:
                left = left - self.n_users
            if each & 1:
                right = right - self.n_items
            pair_moments(left, right, *sides, self.draws, *here)
            mean[rows], variance[rows] = here
        return np.float32(self.mean) + np.float32(self.deviation) * mean, np.float32(
            self.deviation
        ) * np.sqrt(variance)

    def fold_in(
        self,
        user: Ids,
        item: Ids,
        rating: ArrayLike,
        *,
        users: Ids | None = None,
        items: Ids | None = None,
        threads: int = 1,
    ) -> Self:
        """The estimates with other ratings of some users and items, as a patch; all else stays as it is.

        Items are fitted to the users as they are, then users to all items; twice where both are given.

        Args:
            user, item: int32 [n], dense indices, also beyond those of the fit.
            rating: float [n]: all that the users and items concerned have now, not only what is new.
            users: int32, whose vectors follow from these ratings; all that are in `user` if None.
            items: int32, likewise; none if None.
            threads: at most.

        Raises:
            DataError: if a rating is not finite or an index below 0.
        """
        target = np.asarray(rating, np.float32)
        if not np.isfinite(target).all():
            raise DataError("a rating is not a finite number")
        target = (target - np.float32(self.mean)) / np.float32(self.deviation)
        users = np.unique(user if users is None else users).astype(np.int32)
        items = np.unique(np.empty(0, np.int32) if items is None else items).astype(np.int32)
        found = self
        for _ in range(2 if len(users) and len(items) else 1):
            if len(items):
                folded = found.items.folded(items, (item, user, target), found.users, self.alpha, threads)
                found = replace(found, items=folded)
            if len(users):
                folded = found.users.folded(users, (user, item, target), found.items, self.alpha, threads)
                found = replace(found, users=folded)
        return found

    def state(self) -> dict[str, Any]:
        """All but a patch, as plain arrays; `from_state` is the way back, to the same answers within 1e-3."""
        found: dict[str, Any] = {
            "mean": self.mean,
            "deviation": self.deviation,
            "alpha": self._of(self.alpha),
        }
        for name, side in (("user", self.users), ("item", self.items)):
            found[f"{name}_vectors"] = self._of(side.vectors).astype(np.float16)
            found[f"{name}_links"] = self._of(side.links).astype(np.float16)
            found[f"{name}_counts"] = side.prior.counts
            for part in ("precision", "offset", "weight"):
                values = getattr(side.prior, part)
                found[f"{name}_{part}"] = np.stack([self._of(entry) for entry in values])
        return found

    def _of(self, values: Floats) -> Floats:
        return from_lanes(values, self.draws)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """What `state` gave."""
        sides = []
        for name in ("user", "item"):
            identity = np.eye(state[f"{name}_precision"].shape[-1])
            table = PriorTable(
                state[f"{name}_counts"],
                np.stack([to_lanes(entry, identity) for entry in state[f"{name}_precision"]]),
                np.stack([to_lanes(entry) for entry in state[f"{name}_offset"]]),
                np.stack([to_lanes(entry) for entry in state[f"{name}_weight"]]),
            )
            vectors, links = to_lanes(state[f"{name}_vectors"]), to_lanes(state[f"{name}_links"])
            sides.append(FactorSide(vectors, table, links, np.empty(0, np.int32), stranger(table)))
        alpha = np.asarray(state["alpha"])
        return cls(float(state["mean"]), float(state["deviation"]), len(alpha), to_lanes(alpha), *sides)

    def __repr__(self) -> str:
        kind = "implicit, " if self.implicit else ""
        patch = len(self.users.nodes), len(self.items.nodes)
        folded = f", {patch[0]} users and {patch[1]} items folded in" if any(patch) else ""
        size = f"{self.n_users} users x {self.n_items} items"
        return f"FactorEstimates({size}, {self.factors} factors, {kind}{self.draws} draws{folded})"


def moments(rating: Floats) -> tuple[float, float]:
    """Mean and deviation of ratings, the latter never 0.

    Raises:
        DataError: without ratings, or if one is not finite.
    """
    if not len(rating):
        raise DataError("there is nothing to estimate from: no ratings")
    if not np.isfinite(rating).all():
        raise DataError("a rating is not a finite number")
    return float(rating.mean(dtype=np.float64)), float(rating.std(dtype=np.float64)) or 1.0


def _side(draws: Sequence[SideDraw]) -> FactorSide:
    table = prior_table(draws)
    vectors = to_lanes(np.stack([draw.vectors for draw in draws]))
    width = vectors.shape[2]
    links = np.empty((len(vectors), 0, width, 8), np.float32)
    if draws[0].links is not None:
        links = to_lanes(np.stack([_with_mean(draw.links) for draw in draws]))
    return FactorSide(vectors, table, links, np.empty(0, np.int32), stranger(table))


def _with_mean(links: Floats) -> Floats:
    return np.concatenate([links, links.mean(axis=0, keepdims=True)])
