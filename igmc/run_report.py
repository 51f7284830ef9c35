"""The report of a run: test errors of its checkpoints, beside simple references."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, Self

from igmc.config import FIRST_NETWORK, NETWORKS, TrainConfig
from igmc.errors import CheckpointError, ConfigError
from igmc.evaluation.metrics import Scores
from igmc.inference import Predictor

__all__ = ["RunReport"]


@dataclass(frozen=True)
class RunReport:
    """The result of one run; the test part was scored once, after all choices were made.

    It is accepted wherever a run folder is.

    Attributes:
        dataset, split, selection, seed: what was run.
        train_pairs, validation_pairs, test_pairs: sizes of the parts.
        epochs: passes over the training pairs.
        seconds: time in training steps, over all resumes; without extraction and validation.
        single_epoch: the single checkpoint: the last epoch ("fixed"), or the best on validation.
        single: its scores on the test part; None of a network that predicts no ratings, as is `ensemble`.
        ensemble_epochs: the checkpoints whose predictions are averaged.
        ensemble: scores of the average.
        validation_rmse: of the single checkpoint; None under "fixed".
        references: scores of simple predictions without a model.
        device, machine, versions: where and with what.
        folder: of the run.
        network: that was trained.
        intervals: how often the test ratings lie in the intervals around their predictions, and how wide
            these are, see `igmc.evaluation.metrics.interval_summary`; None where the network tells none.
        lists: the quality of the lists of a network that predicts no ratings, see
            `igmc.run_lists.list_quality`; else None.
        estimates: which were chosen on validation, and why, where they were to be; else None.
    """

    dataset: str
    split: str
    selection: str
    seed: int
    train_pairs: int
    validation_pairs: int
    test_pairs: int
    epochs: int
    seconds: float
    single_epoch: int
    single: Scores | None
    ensemble_epochs: tuple[int, ...]
    ensemble: Scores | None
    validation_rmse: float | None
    references: dict[str, Scores]
    device: str
    machine: str
    versions: dict[str, str]
    folder: str
    network: str = FIRST_NETWORK
    intervals: dict[str, Any] | None = None
    estimates: dict[str, Any] | None = None
    lists: dict[str, Any] | None = None

    def __repr__(self) -> str:
        name, value = next(iter(self._shown().items()))
        return f"RunReport({self.dataset}, {self.network}: test {name} {value:.4f}, {self.folder})"

    def __str__(self) -> str:
        return self.format()

    def __fspath__(self) -> str:
        return self.folder

    def predictor(self, **how: Any) -> Predictor:
        """The trained run, ready to predict; `how` is that of `igmc.Predictor.from_run`."""
        return Predictor.from_run(self.folder, **how)

    def figures(self) -> dict[str, float]:
        """The test errors of the averaged checkpoints, and the validation RMSE where there is one.

        Of a network that predicts no ratings, the NDCG, recall and precision of its lists.
        """
        validation = {} if self.validation_rmse is None else {"validation_rmse": self.validation_rmse}
        if self.ensemble is not None:
            return validation | {f"test_{name}": value for name, value in asdict(self.ensemble).items()}
        return {f"test_{name}": value for name, value in self._shown().items()}

    def _shown(self) -> dict[str, float]:
        """The main figures, by name as people write it."""
        if self.ensemble is not None:
            return {"RMSE": self.ensemble.rmse}
        found = self.lists or {"length": 0, "models": {self.network: {}}}
        own = found["models"][self.network]
        return {f"{name}@{found['length']}": value for name, value in own.items()}

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types only."""
        return asdict(self) | {"ensemble_epochs": list(self.ensemble_epochs)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`.

        Raises:
            CheckpointError: if something is missing or of the wrong kind.
        """
        try:
            values = TrainConfig.current(values)  # `selection` had another name once
            known = {f.name: values[f.name] for f in fields(cls) if f.name in values or f.default is MISSING}
            scored = {name: values[name] for name in ("single", "ensemble")}
            known |= {name: None if v is None else Scores(**v) for name, v in scored.items()}
            known["references"] = {name: Scores(**v) for name, v in values["references"].items()}
            known["ensemble_epochs"] = tuple(values["ensemble_epochs"])
        except (KeyError, TypeError, AttributeError, ConfigError) as error:
            raise CheckpointError(
                f"the report of a run is damaged ({error!r})",
                remedy="delete its metrics.json and run the same command again",
            ) from error
        return cls(**known)

    def format(self) -> str:
        """A table for the terminal."""
        lines = [
            f"{self.dataset}, split {self.split}, selection {self.selection}, seed {self.seed}",
            *self._sizes(),
            *(_estimates_lines(self.estimates) if self.estimates else []),
            "",
            *(self._error_lines() if self.lists is None else _list_lines(self.lists)),
            *(_interval_lines(self.intervals) if self.intervals else []),
            "",
            f"run folder: {self.folder}",
            self._others(),
        ]
        return "\n".join(lines)

    def _sizes(self) -> list[str]:
        passes = "1 epoch" if self.epochs == 1 else f"{self.epochs} epochs"
        trained = f"{passes} in {self.seconds:.0f} s of training steps on {self.device}"
        if self.lists is not None:
            return [f"{self.train_pairs:,} training, {self.test_pairs:,} test interactions", trained]
        chosen = "at fixed epochs" if self.selection == "fixed" else "chosen on validation"
        sizes = (
            f"{self.train_pairs:,} training, {self.validation_pairs:,} validation, {self.test_pairs:,} test"
        )
        return [f"{sizes} ratings", f"{trained}, checkpoints {chosen}"]

    def _error_lines(self) -> list[str]:
        """The test errors of the checkpoints, and of the references, the best first."""
        epochs = ", ".join(str(epoch) for epoch in sorted(self.ensemble_epochs))
        own_network = NETWORKS[self.network]
        name = own_network.title
        own = [(f"{name}, epoch {self.single_epoch}", self.single)]
        if len(self.ensemble_epochs) > 1 or own_network.averages:
            own = [(f"{name}, mean of epochs {epochs}", self.ensemble), (f"{own[0][0]} alone", self.single)]
        rows = [(label, scores) for label, scores in own if scores is not None]
        rows += sorted(self.references.items(), key=lambda row: row[1].rmse)
        width = max(len(name) for name, _ in rows)
        return [
            f"{'test error':{width}}     RMSE      MAE  mean error   clipped: RMSE      MAE",
            *(
                f"{name:{width}}  {s.rmse:7.4f}  {s.mae:7.4f}  {s.signed_mean_error:>10}         "
                f"{s.rmse_clipped:7.4f}  {s.mae_clipped:7.4f}"
                for name, s in rows
            ),
        ]

    def _others(self) -> str:
        """How the other networks are run on the same data."""
        others = [name for name, one in NETWORKS.items() if name != self.network and one.rates]
        if self.lists is not None:
            return "lists: igmc-recommend --run with this folder"
        which = "the other network" if len(others) == 1 else "the other networks"
        return f"{which}: the same command with --network {' or '.join(others)} and another --out"


def _list_lines(found: Mapping[str, Any]) -> list[str]:
    """The quality of lists, the best NDCG first."""
    models = sorted(found["models"].items(), key=lambda row: -row[1]["ndcg"])
    head = f"lists of {found['length']} unseen items"
    width = max(len(head), *(len(name) for name, _ in models))
    return [
        f"{head:{width}}     NDCG   recall  precision",
        *(
            f"{name:{width}}  {m['ndcg']:7.4f}  {m['recall']:7.4f}    {m['precision']:7.4f}"
            for name, m in models
        ),
        f"means over {found['users']:,} users with test interactions",
    ]


def _interval_lines(found: Mapping[str, Any]) -> list[str]:
    """The coverage of the intervals, overall and by the known ratings of users and of items."""
    head = (
        f"{found['asked']:.0%} intervals hold {found['coverage']:.1%} of the test ratings; "
        f"mean width {found['width']:.2f}"
    )
    lines = ["", head]
    for side in ("user", "item"):
        buckets = found[f"by_{side}_activity"]
        told = ", ".join(f"{one['label']}: {one['coverage']:.1%} ({one['width']:.2f})" for one in buckets)
        lines.append(f"by known ratings of the {side}, coverage (width): {told}")
    return lines


def _estimates_lines(found: Mapping[str, Any]) -> list[str]:
    """What estimates were chosen, and by how much each kind was better than none."""
    plain, *rivals = found["candidates"]
    lines = [
        f"estimates {found['chosen']}, chosen on {found['pairs']:,} validation ratings: "
        f"RMSE {plain['rmse']:.4f} without, in {plain['seconds']:.0f} s of the processors"
    ]
    return lines + [
        f"  {one['estimates']}: {one['rmse']:.4f}, difference {one['difference']:+.4f} "
        f"[{one['low']:+.4f}, {one['high']:+.4f}], {one['seconds'] / plain['seconds']:.1f} times the time"
        for one in rivals
    ]
