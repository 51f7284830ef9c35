"""Held-out pairs whose residuals calibrate the intervals of the neighbours network.

Each member of the network leaves some ratings out of its training. They are asked on the graph without them,
and a second time where their users or items play newcomers, who reveal none to ten ratings; so the residuals
are those of pairs that the member did not learn from, at every amount of support.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from igmc.intervals import IntervalModel, known_counts, mean_residuals, pair_inputs
from igmc.loading import CrossFit, NeighbourBatch, Probe
from igmc.models import NeighboursEnsemble
from igmc.rng import stream
from igmc.statistics import InputNorms

__all__ = ["IntervalPairs", "unpacked_intervals"]

MANY = 300_000  # ratings, of which a single one teaches so little that newcomers are asked about any of them
SAMPLE = 8000  # of these; about four in five are asked


class IntervalPairs:
    """The pairs, with their inputs; made once in a training.

    Args:
        folds: of the training ratings.
        probes: of each member, which did not learn from them; at least one.
        norms: of the inputs.
        cap: neighbours of each side at most.
        seed: of the draws; threads: that read inputs.
    """

    def __init__(
        self,
        folds: CrossFit,
        probes: Sequence[Probe],
        norms: InputNorms,
        cap: int,
        seed: int,
        threads: int | None,
    ) -> None:
        known = folds.known
        whole = known.statistics()
        self._norms, self._seed, self._centre = norms, seed, (whole.mean, whole.deviation)
        self._parts = [
            (probe, np.full(len(probe.rows), member, np.int64)) for member, probe in enumerate(probes)
        ]
        rows = (
            np.unique(np.concatenate([probe.rows for probe in probes])) if probes else np.empty(0, np.int64)
        )
        if len(known) > MANY:
            rows = np.sort(stream(seed, "interval rows").permutation(len(known))[:SAMPLE])
        for probe in Probe.newcomers(folds, norms, rows, cap=cap, threads=threads):
            member = np.zeros(len(probe.rows), np.int64)
            for number in range(len(probes) - 1, -1, -1):
                member[np.isin(probe.rows, probes[number].rows)] = number
            self._parts.append((probe, member))
        self._means = mean_residuals(known.user, known.item, known.rating, seed=seed)

    def fit(self, model: NeighboursEnsemble) -> IntervalModel:
        """The intervals of a model."""
        inputs, residual, counts = [], [], []
        for probe, member in self._parts:
            _, steps = model.member_steps(NeighbourBatch.whole(probe.inputs))
            own = steps[member, np.arange(len(member))]
            inputs.append(pair_inputs(probe.inputs, steps, own, *self._centre))
            residual.append(probe.target - own)
            counts.append(np.stack(known_counts(probe.inputs, self._norms)))
        order = stream(self._seed, "interval order").permutation(sum(map(len, residual)))
        n_user, n_item = np.concatenate(counts, axis=1)[:, order]
        return IntervalModel.fit(
            np.concatenate(inputs)[order], np.concatenate(residual)[order], n_user, n_item, self._means
        )


def unpacked_intervals(state: Mapping[str, Any] | None) -> IntervalModel | None:
    """The intervals of a state, which may hold tensors; None for None."""
    return None if state is None else IntervalModel.from_state(state)
