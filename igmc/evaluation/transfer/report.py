"""What a trained model comes to on another data set, beside simple references trained there."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from igmc.config import FIRST_NETWORK, NETWORKS
from igmc.evaluation.metrics import Scores
from igmc.short_repr import short_repr

__all__ = ["TransferReport"]


@dataclass(frozen=True)
class TransferReport:
    """What a model reached on the test part of a data set that it was not trained on.

    Attributes:
        run, trained_on, epochs: the run folder, its data set, and the checkpoints whose predictions are
            averaged.
        dataset, split, config: the other data set, its split, and how the model was applied.
        known_ratings, adapted_on, test_pairs: ratings in the graph; how many of these were learned from; and
            pairs asked.
        without_neighbourhood: test pairs whose user or item has no rating in the graph.
        scale_map: as `ScaleMap.to_dict` says; the one that gave `adapted` where there is one.
        zero_shot: test errors of the model as it is.
        adapted: test errors once calibrated or trained further; None where neither was asked for.
        intervals: bounds of the 95 % bootstrap intervals, drawn by user, of the RMSE of "zero_shot" and
            "adapted"; none of a single user.
        references: what is reached without the model, from all known ratings.
        seconds: spent on predicting and adapting.
        machine, versions: where and with what.
        network: of the run.
        estimates: test errors of what the network reads that was fitted to the known ratings there, each
            alone; empty for a network that reads nothing of the kind. Where there are any, the weights alone
            are unchanged in `zero_shot`.
    """

    __repr__ = short_repr

    def __str__(self) -> str:
        return self.format()

    run: str
    trained_on: str
    epochs: tuple[int, ...]
    dataset: str
    split: str
    config: dict[str, Any]
    known_ratings: int
    adapted_on: int
    test_pairs: int
    without_neighbourhood: int
    scale_map: dict[str, Any]
    zero_shot: Scores
    adapted: Scores | None
    intervals: dict[str, tuple[float, float]]
    references: dict[str, Scores]
    seconds: float
    machine: str
    versions: dict[str, str]
    network: str = FIRST_NETWORK
    estimates: dict[str, Scores] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types only."""
        intervals = {name: list(bounds) for name, bounds in self.intervals.items()}
        return asdict(self) | {"epochs": list(self.epochs), "intervals": intervals}

    def format(self) -> str:
        """A table for the terminal."""
        name = NETWORKS[self.network].title
        as_it_is = "unchanged weights, refitted estimates" if self.estimates else "unchanged"
        rows = [(f"{name}, {as_it_is}", self.zero_shot)]
        if self.adapted is not None:
            rows.append((f"{name}, {self._how()}", self.adapted))
        alone = {f"{kind} alone, fitted there": scores for kind, scores in self.estimates.items()}
        rows += sorted({**self.references, **alone}.items(), key=lambda row: row[1].rmse)
        width = max(len(name) for name, _ in rows)
        levels = ", ".join(f"{value:.4g}" for value in self.scale_map["levels"]["values"])
        line = f"{self.scale_map['intercept']:.4g} + {self.scale_map['slope']:.4g} p"
        lines = [
            f"{self.trained_on} -> {self.dataset}, split {self.split}",
            f"{self.known_ratings:,} known ratings, {self.test_pairs:,} test ratings, "
            f"{self.without_neighbourhood:,} of them of a user or item without known ratings",
            f"levels of mean rating {levels}; a prediction p means {line} ({self.scale_map['method']})",
            "",
            f"{'test error':{width}}      RMSE       MAE  mean error  clipped: RMSE       MAE",
            *(
                f"{name:{width}}  {s.rmse:8.4f}  {s.mae:8.4f}  {s.signed_mean_error:>10}       "
                f"{s.rmse_clipped:8.4f}  {s.mae_clipped:8.4f}"
                for name, s in rows
            ),
        ]
        return "\n".join(lines)

    def _how(self) -> str:
        done = {"calibrate": "calibrated", "finetune": "fine-tuned"}[self.config["adapt"]]
        return f"{done} on {self.adapted_on:,} ratings ({self.config['percent']:g} %)"
