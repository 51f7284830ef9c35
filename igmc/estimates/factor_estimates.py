"""Ratings estimated by Bayesian matrix factorization, as inputs of other models and on their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.errors import DataError
from igmc.estimates.factor_side import FactorSide
from igmc.estimates.lanes import from_lanes, to_lanes
from igmc.estimates.making import sides_from, sides_of, state_of
from igmc.estimates.pair_kernels import pair_moments, row_parts
from igmc.estimates.sampler import Draw, Sampler
from igmc.ratings import SideInformation
from igmc.threads import one_blas_thread

__all__ = ["FactorEstimates"]

Floats = NDArray[np.float32]
Ids = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class FactorEstimates:
    """``mean + deviation * (p_u . q_i + b_u + b_i)`` in S draws from the posterior. Make one with `fit`.

    A draw holds the item vectors as drawn, and of the user vectors their expectation given these: the average
    over draws is then the same, but with less noise (Rao & Blackwell). It is also just what a new user gets
    in `fold_in`, so a user whose ratings come after the fit is served like one who was in it. It is
    immutable, and all methods may be called from several threads.

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
    @one_blas_thread()
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
        thin: int = 4,
        seed: int = 1,
        threads: int = 1,
        side: SideInformation | None = None,
    ) -> Self:
        """Sample from the posterior given n ratings; equal arguments give equal estimates.

        The number of threads changes nothing but the time.

        Args:
            user, item: int32 [n], dense indices; no pair twice.
            rating: float [n], at least one.
            n_users, n_items: sizes of both sides.
            factors: numbers for each user and item, besides the bias.
            implicit: whether vectors also depend on which pairs were rated, whatever the values (SVD++).
            burn_in: sweeps of the sampler before draws are kept.
            draws: number of draws that are kept.
            thin: sweeps from one of them to the next.
            seed: of all draws.
            threads: at most.
            side: side information of all users and items, or of more than there are in the ratings.

        Raises:
            DataError: without ratings, or if one is not finite.
        """
        sampler = Sampler(
            user,
            item,
            rating,
            n_users=n_users,
            n_items=n_items,
            factors=factors,
            implicit=implicit,
            seed=seed,
            threads=threads,
            side=side,
        )
        kept = []
        for sweep in range(1, burn_in + draws * thin + 1):
            sampler.sweep()
            if sweep > burn_in and (sweep - burn_in) % thin == 0:
                kept.append(sampler.draw())
        return cls.of_draws(kept, sampler)

    @classmethod
    def of_draws(cls, draws: Sequence[Draw], sampler: Sampler) -> Self:
        """The estimates by some draws of a sampler, at least one."""
        alpha = to_lanes(np.array([draw.alpha for draw in draws]))
        users, items = sides_of(draws, sampler, alpha)
        return cls(sampler.mean, sampler.deviation, len(draws), alpha, users, items)

    @property
    def n_users(self) -> int:
        """Number of users in the fit; later users have higher indices."""
        return len(self.users)

    @property
    def n_items(self) -> int:
        """Number of items in the fit."""
        return len(self.items)

    @property
    def factors(self) -> int:
        return int(self.users.known.vectors.shape[2]) - 1

    @property
    def implicit(self) -> bool:
        """Whether the vectors also depend on which pairs were rated, whatever the values."""
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
        new_user, new_item = users >= len(self.users), items >= len(self.items)
        for of_patch in ((False, False), (False, True), (True, False), (True, True)):
            rows = np.flatnonzero((new_user == of_patch[0]) & (new_item == of_patch[1]))
            left = users[rows] - len(self.users) * of_patch[0]
            right = items[rows] - len(self.items) * of_patch[1]
            sides = (
                self.users.patch if of_patch[0] else self.users.known,
                self.items.patch if of_patch[1] else self.items.known,
            )
            here = np.empty((2, len(rows)), np.float32)
            pair_moments(left, right, *sides, self.draws, *here)
            mean[rows], variance[rows] = here
        scale = np.float32(self.deviation)
        return np.float32(self.mean) + scale * mean, scale * np.sqrt(variance)

    def parts(self, user: Ids, item: Ids) -> Floats:
        """What goes into the means of P pairs, each the mean over draws.

        Args:
            user, item: int32 [P], as in `features`.

        Returns:
            float32 [P, 4]: biases of user and item, in ratings, and the lengths of their vectors.

        Raises:
            DataError: on an index below 0.
        """
        found = np.empty((len(user), 2, 2), np.float32)
        for place, (side, ids) in enumerate(((self.users, user), (self.items, item))):
            at = side.locate(ids)
            for rows, first in ((side.known, 0), (side.patch, len(side))):
                here = np.flatnonzero((at >= len(side)) == (first > 0))
                out = np.empty((len(here), 2), np.float32)
                row_parts(at[here] - first, rows.vectors, self.draws, out)
                found[here, :, place] = out
        found[:, 0] *= self.deviation
        return found.reshape(-1, 4)

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
        """The estimates with other ratings of some users and items, as a patch; the rest is unchanged.

        Items are fitted to the users as they are, then users to all items; twice where both are given.

        Args:
            user, item: int32 [n], dense indices, also beyond those of the fit.
            rating: float [n]: all current ratings of the affected users and items, not only new ones.
            users: int32, whose vectors follow from these ratings; all that are in `user` if None.
            items: int32, likewise; none if None.
            threads: at most.

        Raises:
            DataError: if a rating is not finite or an index below 0.
        """
        values = np.asarray(rating, np.float64)
        if not np.isfinite(values).all():
            raise DataError("a rating is not a finite number")
        target = ((values - self.mean) / self.deviation).astype(np.float32)
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

    def described_by(self, side: SideInformation) -> Self:
        """The same with the features of later users and items too; they take effect at `fold_in`."""
        users, items = (
            replace(one, values=told.values) for one, told in zip((self.users, self.items), side, strict=True)
        )
        return replace(self, users=users, items=items)

    def state(self) -> dict[str, Any]:
        """All but the patch, as plain arrays; `from_state` restores it, with the same answers within 1e-3."""
        found: dict[str, Any] = {"mean": self.mean, "deviation": self.deviation}
        found["alpha"] = from_lanes(self.alpha, self.draws)
        sides = (("user", self.users), ("item", self.items))
        return found | {
            f"{name}_{key}": value for name, side in sides for key, value in state_of(side).items()
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`."""
        alpha = np.asarray(state["alpha"])
        parts = [
            {key.removeprefix(name): value for key, value in state.items() if key.startswith(name)}
            for name in ("user_", "item_")
        ]
        lanes = to_lanes(alpha)
        users, items = sides_from(parts[0], parts[1], lanes)
        return cls(float(state["mean"]), float(state["deviation"]), len(alpha), lanes, users, items)

    def __repr__(self) -> str:
        kind = "implicit, " if self.implicit else ""
        patch = len(self.users.nodes), len(self.items.nodes)
        folded = f", {patch[0]} users and {patch[1]} items folded in" if any(patch) else ""
        size = f"{self.n_users} users x {self.n_items} items"
        return f"FactorEstimates({size}, {self.factors} factors, {kind}{self.draws} draws{folded})"
