"""A trained model on another data set: as it is, calibrated on a few of its ratings, or trained further.

No id is embedded, so the network applies to any users and items; what differs is the scale of the ratings,
and what they mean by a level.
"""

from __future__ import annotations

import gzip
import json
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from igmc.argument_types import checked_types
from igmc.config import DataConfig, TransferConfig
from igmc.environment import machine, versions
from igmc.errors import ConfigError
from igmc.evaluation.metrics import bootstrap_interval, score
from igmc.evaluation.transfer.report import TransferReport
from igmc.evaluation.transfer.scale_map import ScaleMap
from igmc.files import replace_file, writing
from igmc.graph import BipartiteGraph, ServingGraph, make_parts
from igmc.inference import Predictor, damped_means, has_neighbourhood, open_run
from igmc.networks import AnyScorer, find_network
from igmc.ratings import DataLike, Pairs, Split, data_config, load_dataset, make_split
from igmc.rng import stream
from igmc.run_references import reference_predictions

__all__ = ["transfer"]

logger = logging.getLogger(__name__)


@checked_types
def transfer(
    run: str | os.PathLike[str],
    to: DataLike,
    how: TransferConfig | Mapping[str, Any] | None = None,
    *,
    checkpoints: str | int | None = None,
    data_dir: str | Path | None = None,
    home: str | Path | None = None,
    out: str | Path | None = None,
    device: str = "auto",
    workers: int | None = None,
) -> TransferReport:
    """Apply a trained model to another data set and score its test part (Zhang & Chen, ICLR 2020).

    The ratings known there, training and validation part, form the graph, grouped into as many levels as the
    model has. What is learned of that data set beyond this is learned on a share of those ratings; nothing is
    chosen by the test part.

    Args:
        run: folder of the run that trained the model, or its report.
        to: the other data set: whatever `igmc.ratings.load.load_dataset` takes; `levels` among its settings
            is of no account.
        how: the scale, and whether and how to adapt, or a mapping of such settings.
        checkpoints, device, workers: see `igmc.inference.predictor.Predictor.from_run`.
        data_dir, home: where raw data are; see `igmc.ratings.load.load_dataset`.
        out: folder for ``transfer.json`` and ``predictions.csv.gz``; nothing is written if None.

    Raises:
        IgmcError: if the run, the data or the settings do not suit; each says what to do.
    """
    if not isinstance(how, TransferConfig):
        how = TransferConfig.from_dict({} if how is None else how)
    if open_run(run).config().side_features:
        raise ConfigError("a model trained with side features cannot be transferred")
    source = Predictor.from_run(run, checkpoints=checkpoints, device=device, workers=workers)
    dataset, data = load_dataset(to, data_dir=data_dir, home=home), data_config(to)
    split = make_split(dataset, data.replace(levels=len(source.scale)), how.seed)
    _check_split(split, len(source.scale), data)
    moved = _applied(source, split, how)
    asked, low, high = split.pairs(split.test), split.scale.low, split.scale.high
    rating = asked.rating
    references = reference_predictions(split).items()
    report = TransferReport(
        run=str(run),
        trained_on=source.config.data.dataset,
        epochs=source.epochs,
        dataset=dataset.name,
        split=split.name,
        config=how.to_dict(),
        known_ratings=len(split.train) + len(split.validation),
        adapted_on=moved.adapted_on,
        test_pairs=len(split.test),
        without_neighbourhood=moved.without_neighbourhood,
        scale_map=moved.scale_map.to_dict(),
        zero_shot=score(moved.zero_shot, rating, low, high),
        adapted=None if moved.adapted is None else score(moved.adapted, rating, low, high),
        intervals=_intervals(moved, asked, how.seed),
        references={name: score(predicted, rating, low, high) for name, predicted in references},
        seconds=moved.seconds,
        machine=machine(),
        versions=versions(),
        network=source.config.network,
        estimates={name: score(one, rating, low, high) for name, one in moved.estimates.items()},
    )
    if out is not None:
        _write(Path(out), report, split, moved.zero_shot if moved.adapted is None else moved.adapted)
    return report


class _Moved(NamedTuple):
    """What a model says about the test pairs of another data set; float32 [P] each."""

    zero_shot: NDArray[np.float32]
    adapted: NDArray[np.float32] | None
    scale_map: ScaleMap
    adapted_on: int
    without_neighbourhood: int
    seconds: float
    estimates: dict[str, NDArray[np.float32]]


def _intervals(moved: _Moved, asked: Pairs, seed: int) -> dict[str, tuple[float, float]]:
    found = {}
    for name in ("zero_shot", "adapted"):
        predicted = getattr(moved, name)
        if predicted is not None and len(np.unique(asked.user)) > 1:
            squared = np.square(predicted - asked.rating, dtype=np.float64)
            interval = bootstrap_interval(squared, asked.user, seed=seed, root=True)
            found[name] = interval.low, interval.high
    return found


def _check_split(split: Split, levels: int, data: DataConfig) -> None:
    if len(split.scale) != levels:
        raise ConfigError(
            "the target ratings have a different number of levels than the model",
            got=len(split.scale),
            allowed=str(levels),
            remedy="use --level-method width; the ratings must not be all equal",
        )
    if not len(split.test):
        raise ConfigError("the test part is empty", got=data.test_ratio, remedy="raise --test-ratio")


def _applied(source: Predictor, split: Split, how: TransferConfig) -> _Moved:
    start = time.perf_counter()
    parts = make_parts(split, "fixed")
    known, asked, graph = parts["train"].pairs, parts["test"].pairs, parts["test"].graph
    few, network = _drawn(known, how), find_network(source.config.network)
    times = parts["test"].times
    scorer = network.on(source.scorer, graph, source.scale, seed=how.seed, times=times)
    scale_map = ScaleMap.fit(source.scale, split.scale, known.rating, how.rescale)
    raw = _raw(scorer, graph, asked)
    zero_shot, adapted = _answers(raw, scale_map, graph, asked, how), None
    fitted = network.refitted(scorer, graph, asked).items()
    estimates = {name: _answers(one, scale_map, graph, asked, how) for name, one in fitted}
    if how.adapt == "calibrate":
        scale_map = scale_map.calibrated(_raw(scorer, graph, few), few.rating)
    elif how.adapt == "finetune":
        few = replace(few, rating=scale_map.to_source(few.rating))
        tuned = network.fine_tuned(scorer, source.config, graph, source.scale, few, how)
        raw = _raw(tuned, graph, asked)
    if how.adapt != "none":
        adapted = _answers(raw, scale_map, graph, asked, how)
    near = has_neighbourhood(ServingGraph.of(graph), asked.user, asked.item)
    seconds = time.perf_counter() - start
    found = zero_shot, adapted, scale_map, len(few), int(np.count_nonzero(~near)), seconds
    return _Moved(*found, estimates)


def _drawn(known: Pairs, how: TransferConfig) -> Pairs:
    """The known ratings that are learned from; a lower share is part of a higher one."""
    count = 0 if how.adapt == "none" else round(how.percent / 100 * len(known))
    if how.adapt != "none" and count < 2:
        raise ConfigError(
            "there are too few ratings to adapt to",
            got=f"{how.percent:g} % of {len(known)}",
            allowed="2 or more",
            remedy="raise --percent",
        )
    rows = np.sort(stream(how.seed, "transfer").permutation(len(known))[:count])
    times = None if known.time is None else known.time[rows]
    return Pairs(known.user[rows], known.item[rows], known.rating[rows], times)


def _raw(scorer: AnyScorer, graph: BipartiteGraph, pairs: Pairs) -> NDArray[np.float32]:
    """Mean predictions of the models, on their own scale; a pair's own rating is never looked at."""
    mean: NDArray[np.float32] = scorer.score(graph, pairs.user, pairs.item, time=pairs.time).mean(axis=0)
    return mean


def _answers(
    raw: NDArray[np.float32], scale_map: ScaleMap, graph: BipartiteGraph, pairs: Pairs, how: TransferConfig
) -> NDArray[np.float32]:
    predicted = scale_map.to_target(raw)
    if how.fallback:
        view = ServingGraph.of(graph)
        rest = ~has_neighbourhood(view, pairs.user, pairs.item)
        predicted[rest] = damped_means(view, scale_map.levels.values, pairs.user[rest], pairs.item[rest])[0]
    return predicted


def _write(folder: Path, report: TransferReport, split: Split, predicted: NDArray[np.float32]) -> None:
    table, rows = split.table, split.test
    frame = pd.DataFrame(
        {
            "user_id": table.users.decode(table.user[rows]),
            "item_id": table.items.decode(table.item[rows]),
            "rating": table.rating[rows],
            "prediction": predicted,
        }
    )
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / "predictions.csv.gz", gzip.compress(frame.to_csv(index=False).encode(), mtime=0))
    replace_file(folder / "transfer.json", json.dumps(report.to_dict(), indent=1).encode() + b"\n")
    logger.info("written: %s", folder)
