"""How the arms of an experiment compare, with confidence intervals over users."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from igmc.evaluation.metrics import Interval, sums_interval
from igmc.experiments.answers import Answers
from igmc.experiments.outcomes import COLUMNS, SHADOW_COLUMNS, Outcomes, Sums, outcomes

__all__ = ["FIGURES", "LEAST", "ArmComparison", "compare_arms"]

LEAST = 10  # users with a value in each arm, below which there is no interval


class _Ratio:
    """A sum over users divided by another one, or the root of that."""

    def __init__(self, above: str, below: str, *, root: bool = False) -> None:
        self.columns, self.root = (above, below), root

    def __call__(self, totals: Sums) -> Sums:
        found: Sums = totals[0] / totals[1]
        return np.sqrt(found) if self.root else found


FIGURES = {
    "hit_rate": _Ratio("hits", "users"),
    "conversion": _Ratio("converted", "listed"),
    "mean_rating": _Ratio("ratings", "converted"),
    "rmse": _Ratio("squared", "scored", root=True),
}
_SHADOW_FIGURES = {
    "overlap": _Ratio("common", "listed"),
    "rmse_shown": _Ratio("squared", "scored", root=True),
    "rmse_shadow": _Ratio("shadow_squared", "scored", root=True),
}


@dataclass(frozen=True)
class ArmComparison:
    """The arms side by side.

    Attributes:
        counts: arm -> users, answers, lists, items listed and items converted.
        figures: arm -> name of the figure -> its value and 95 % interval; None where nothing counts.
        differences: arm other than the first -> name -> this arm less the first one; None where one has no
            value.
        shadow: overlap, rmse_shown, rmse_shadow and rmse_difference (shadow less shown), and the number of
            rated items they are over; empty without a shadow.
        left_out: why answers do not count -> how many.
        unmatched: whether no user of the log has anything in the store.
    """

    counts: dict[str, dict[str, int]]
    figures: dict[str, dict[str, Interval | None]]
    differences: dict[str, dict[str, Interval | None]]
    shadow: dict[str, Any]
    left_out: dict[str, int]
    unmatched: bool

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it; bounds are null where fewer than 10 users have a value."""
        found: dict[str, Any] = _without_nan(dataclasses.asdict(self))
        return found


def compare_arms(found: Answers, store: str, *, key: str | None = None, seed: int = 1) -> ArmComparison:
    """Compare the arms of a log by the ratings that came afterwards; see `outcomes` for what counts.

    Args:
        found: of `read_answers`.
        store: where the ratings are.
        key: of hashed ids.
        seed: of the bootstrap.

    Raises:
        IgmcError: as `outcomes`.
    """
    joined = outcomes(found.answers, store, key)
    lines = {"lines that cannot be read": found.torn, "lines that occur twice": found.repeated}
    left_out = {name: count for name, count in (joined.left_out | lines).items() if count}
    first, *others = joined.arms or [""]
    differences = {
        other: {
            name: _difference(joined.arms[first], joined.arms[other], figure, seed)
            for name, figure in FIGURES.items()
        }
        for other in others
    }
    return ArmComparison(
        {arm: _counts(sums, joined.answers[arm]) for arm, sums in joined.arms.items()},
        {
            arm: {name: _interval(sums, COLUMNS, figure, seed) for name, figure in FIGURES.items()}
            for arm, sums in joined.arms.items()
        },
        differences,
        _shadow(joined, seed),
        left_out,
        joined.unmatched,
    )


def _counts(sums: Sums, answers: int) -> dict[str, int]:
    totals = dict(zip(COLUMNS, sums.sum(axis=1).astype(int).tolist(), strict=True))
    return {
        "users": sums.shape[1],
        "answers": answers,
        **{name: totals[name] for name in ("lists", "listed", "converted")},
        "rated": totals["scored"],
    }


def _shadow(joined: Outcomes, seed: int) -> dict[str, Any]:
    sums = joined.shadow
    if not sums.size:
        return {}
    figures = {
        name: _interval(sums, SHADOW_COLUMNS, figure, seed) for name, figure in _SHADOW_FIGURES.items()
    }
    rows = [sums[SHADOW_COLUMNS.index(name)] for name in ("squared", "scored", "shadow_squared", "scored")]
    figures["rmse_difference"] = _between(np.stack(rows), _SHADOW_FIGURES["rmse_shown"], seed)
    return {"users": sums.shape[1], "rated": int(sums[SHADOW_COLUMNS.index("scored")].sum()), **figures}


def _interval(sums: Sums, names: tuple[str, ...], figure: _Ratio, seed: int) -> Interval | None:
    columns = sums[[names.index(name) for name in figure.columns]]
    return _bounded(columns, figure, seed, [columns[1]])


def _difference(first: Sums, other: Sums, figure: _Ratio, seed: int) -> Interval | None:
    """The other arm less the first one; no user is in both."""
    rows = [COLUMNS.index(name) for name in figure.columns]
    sums = np.zeros((4, first.shape[1] + other.shape[1]))
    sums[:2, : first.shape[1]], sums[2:, first.shape[1] :] = first[rows], other[rows]
    return _between(sums, figure, seed)


def _between(sums: Sums, figure: _Ratio, seed: int) -> Interval | None:
    """The figure of the last two columns less that of the first two."""

    def difference(totals: Sums) -> Sums:
        found: Sums = figure(totals[2:]) - figure(totals[:2])
        return found

    return _bounded(sums, difference, seed, [sums[1], sums[3]])


def _bounded(sums: Sums, figure: Any, seed: int, below: list[Sums]) -> Interval | None:
    """A figure with its interval, if enough users have a value; with NaN as bounds if only some have."""
    enough = min(int(np.count_nonzero(column)) for column in below)
    if enough == 0:
        return None
    if enough < LEAST:
        return Interval(float(figure(sums.sum(axis=1))), float("nan"), float("nan"))
    return sums_interval(sums, figure, seed=seed)


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nan(one) for name, one in value.items()}
    return None if isinstance(value, float) and np.isnan(value) else value
