"""The test predictions of a finished run, read from its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from igmc.errors import CheckpointError
from igmc.graph import ServingGraph
from igmc.inference.mean_fallback import has_neighbourhood
from igmc.ratings import Split
from igmc.short_repr import short_repr

__all__ = ["RunPredictions"]

FILE = "predictions.csv.gz"


@dataclass(frozen=True, eq=False)
class RunPredictions:
    """The P test pairs of a run.

    Attributes:
        user, item: int32 [P], dense indices.
        true: float64 [P], the ratings given.
        predicted: float64 [P], the mean prediction of the checkpoints that the run averages, not clipped.
    """

    __repr__ = short_repr

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    true: NDArray[np.float64]
    predicted: NDArray[np.float64]

    @classmethod
    def load(cls, folder: Path, split: Split) -> RunPredictions:
        """Read ``predictions.csv.gz``.

        Args:
            folder: of a finished run.
            split: of the run.

        Raises:
            CheckpointError: if the file is missing, damaged, or of another split.
        """
        import pandas as pd

        path, table, rows = folder / FILE, split.table, split.test
        try:
            frame: Any = pd.read_csv(path, usecols=["rating", "ensemble"], dtype=np.float64)
        except FileNotFoundError:
            raise CheckpointError(
                f"{folder} holds no predictions: the run is unfinished",
                remedy="let the igmc-train command of the run finish",
            ) from None
        except (OSError, EOFError, ValueError) as error:
            raise _damaged(path, f"cannot be read: {error}") from error
        true, predicted = frame["rating"].to_numpy(), frame["ensemble"].to_numpy()
        if not (np.array_equal(true, table.rating[rows]) and np.isfinite(predicted).all()):
            raise _damaged(path, "is not of the test part of this run")
        return cls(table.user[rows], table.item[rows], true, predicted)

    def extremes(self, graph: ServingGraph) -> tuple[int, int]:
        """The pairs with the highest and the lowest prediction, of those that have a neighbourhood.

        Args:
            graph: the ratings that are known.

        Returns:
            their places in 0..P-1; the first of them where several predictions are equal.

        Raises:
            CheckpointError: if no pair has a neighbourhood.
        """
        return self._ends(graph, self.predicted)

    def worst(self, graph: ServingGraph) -> tuple[int, int]:
        """The pairs whose prediction is most too high, and most too low; otherwise as `extremes`."""
        return self._ends(graph, self.predicted - self.true)

    def _ends(self, graph: ServingGraph, values: NDArray[np.float64]) -> tuple[int, int]:
        there = np.flatnonzero(has_neighbourhood(graph, self.user, self.item))
        if not len(there):
            raise CheckpointError("no test pair of this run has a neighbourhood")
        return int(there[values[there].argmax()]), int(there[values[there].argmin()])


def _damaged(path: Path, what: str) -> CheckpointError:
    return CheckpointError(
        f"{path} {what}",
        remedy="delete metrics.json: the igmc-train command of the run makes both again from checkpoints",
    )
