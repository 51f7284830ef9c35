"""A rating graph that follows its log: replay, from append to visible, memory, and lists meanwhile, on ML-1M.

The neighbours network is trained for one epoch on the demo and laid on ML-1M: weights change no time. Ratings
are of random pairs, one in ten of a new user.

    python scripts/bench_live.py --data-dir ../shared/data --out scripts/results/live.json
"""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import click
import measure
import numpy as np

import igmc
from igmc.graph import ServingGraph, make_parts
from igmc.inference import Predictor
from igmc.inference.lists import recommend
from igmc.live import Change, Draft, Entry, LiveRatings, RatingLog, applied
from igmc.networks import find_network

PIECE = 5000  # ratings in a transaction while a log is filled


def make_predictor(data_dir: Path | None, folder: Path) -> Predictor:
    """What is served: ML-1M, with all ratings known but the tenth of the test part."""
    config = igmc.RunConfig.from_dict({"network": "neighbours", "neighbours": {"epochs": 1, "members": 1}})
    run = igmc.train(config, out=folder / "run", progress=False)
    trained = Predictor.from_run(run.folder, device="cpu")
    data = igmc.DataConfig("ml_1m")
    split = igmc.make_split(igmc.load_dataset(data, data_dir=data_dir), data, seed=1)
    known = make_parts(split, "fixed")["test"]
    scorer = find_network("neighbours").on(
        trained.scorer, known.graph, split.scale, seed=1, times=known.times
    )
    return dataclasses.replace(
        trained,
        users=split.table.users,
        items=split.table.items,
        scale=split.scale,
        graph=ServingGraph.of(known.graph),
        scorer=scorer,
        info=None,
        relevance=None,
    )


def drawn(predictor: Predictor, count: int, seed: int) -> list[Draft]:
    """Ratings of random pairs; items by popularity, a tenth of the users new."""
    rng = np.random.default_rng(seed)
    popularity = np.diff(predictor.graph.by_item.ptr).astype(np.float64)
    items = rng.choice(len(popularity), count, p=popularity / popularity.sum()).tolist()
    users = rng.integers(0, len(predictor.users) * 10 // 9, count).tolist()
    ratings = rng.integers(1, 6, count).tolist()
    ids, known = predictor.items.ids, predictor.users.ids
    return [
        Draft("rate", known[u] if u < len(known) else 10_000_000 + u, ids[i], float(r), 1_700_000_000)
        for u, i, r in zip(users, items, ratings, strict=True)
    ]


def fill(store: str, drafts: list[Draft]) -> float:
    """Store some ratings; seconds."""
    start = time.perf_counter()
    with RatingLog(store) as log:
        for low in range(0, len(drafts), PIECE):
            log.append([Change(tuple(drafts[low : low + PIECE]))])
    return time.perf_counter() - start


def replay(predictor: Predictor, store: str, count: int) -> dict[str, Any]:
    """A restart that finds so many ratings in the log, until the first list."""
    filled = fill(store, drawn(predictor, count, seed=1))
    wall, cpu = time.perf_counter(), time.process_time()
    live = LiveRatings(predictor, store)
    seconds = {"replayed_s": time.perf_counter() - wall, "replayed_cpu_s": time.process_time() - cpu}
    recommend(live.predictor, ratings={1: 5.0}, k=10)
    seconds["first_list_s"] = time.perf_counter() - wall
    live.close()
    rounded = {name: round(value, 2) for name, value in seconds.items()}
    return {"entries": count, "filled_s": round(filled, 1), **rounded}


def applying(predictor: Predictor) -> dict[str, float]:
    """Processor time to apply entries to graph, statistics, estimates and dates: median milliseconds.

    Before, 3000 ratings were applied, so that most popular items are patched rows already.
    """
    entries = [Entry(0, *draft) for draft in drawn(predictor, 6000, seed=3)]
    found, at, result = applied(predictor, entries[:3000]), 3000, {}
    for size, rounds in ((1, 20), (10, 20), (100, 10)):
        times = []
        for _ in range(rounds):
            start = time.process_time()
            found = applied(found, entries[at : at + size])
            times.append(time.process_time() - start)
            at += size
        result[f"batch_of_{size}_cpu_ms"] = round(1e3 * float(np.median(times)), 1)
    return {**result, "ratings_in_patches": found.graph.n_patched}


def memory() -> float:
    """Resident bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return float(pages * resource.getpagesize())


def load(predictor: Predictor, store: str, rate: int, seconds: float, readers: int) -> dict[str, Any]:
    """Writes at a steady rate while lists are asked; milliseconds from append to stored, and to visible."""
    drafts = drawn(predictor, int(rate * seconds), seed=2)
    stored: list[float] = []
    visible: list[float] = []
    lists: list[float] = []
    end = threading.Event()

    with LiveRatings(predictor, store) as live:
        recommend(live.predictor, ratings={1: 5.0}, k=10)  # warm
        before = memory()
        threads = [threading.Thread(target=_read, args=(live, n, end, lists)) for n in range(readers)]
        for thread in threads:
            thread.start()
        began, waiting = time.perf_counter(), []
        for k, draft in enumerate(drafts):
            time.sleep(max(0.0, began + k / rate - time.perf_counter()))
            at = time.perf_counter()
            waiting.append((at, live.write(Change((draft,)))))
            waiting[-1][1].add_done_callback(lambda _, at=at: stored.append(time.perf_counter() - at))
            if k % 10 == 0:
                sample = threading.Thread(target=_watch, args=(live, *waiting[-1], visible))
                sample.start()
        for _, receipt in waiting:
            receipt.result(60)
        took = time.perf_counter() - began
        live.reached(waiting[-1][1].result().position, 60)
        end.set()
        for thread in threads:
            thread.join()
        grown = (memory() - before) / len(drafts)
        patched = live.predictor.graph.n_patched
    return {
        "asked_per_s": rate,
        "writes_per_s": round(len(drafts) / took, 1),
        "writes": len(drafts),
        "list_readers": readers,
        "stored_ms": quantiles(stored),
        "visible_ms": quantiles(visible),
        "list_ms": quantiles(lists) if lists else None,
        "lists": len(lists),
        "memory_bytes_per_rating": round(grown),
        "ratings_in_patches": patched,
    }


def _read(live: LiveRatings, number: int, end: threading.Event, lists: list[float]) -> None:
    rng, users = np.random.default_rng(number), live.predictor.users.ids
    while not end.is_set():
        start = time.perf_counter()
        recommend(live.predictor, user_id=users[int(rng.integers(len(users)))], k=10)
        lists.append(time.perf_counter() - start)


def _watch(live: LiveRatings, at: float, receipt: Any, visible: list[float]) -> None:
    live.reached(receipt.result(60).position, 60)
    visible.append(time.perf_counter() - at)


def quantiles(seconds: list[float]) -> dict[str, float]:
    """Median, 95 % and maximum, in milliseconds."""
    ms = 1e3 * np.array(seconds)
    return {
        "median": round(float(np.median(ms)), 1),
        "p95": round(float(np.quantile(ms, 0.95)), 1),
        "most": round(float(ms.max()), 1),
    }


@click.command(help=__doc__)
@click.option("--data-dir", type=click.Path(path_type=Path))
@click.option(
    "--entries",
    default=1_000_000,
    show_default=True,
    help="Ratings that are replayed; 0 to leave that out, and reading beside writing.",
)
@click.option("--rate", default=200, show_default=True, help="Writes a second.")
@click.option("--seconds", default=30.0, show_default=True)
@click.option("--out", type=click.Path(path_type=Path))
def main(data_dir: Path | None, entries: int, rate: int, seconds: float, out: Path | None) -> None:
    with tempfile.TemporaryDirectory(prefix="igmc-live-") as name:
        folder = Path(name)
        predictor = make_predictor(data_dir, folder)
        result = {
            **measure.setting(),
            "load_average": os.getloadavg()[0],
            "data": "ml_1m",
            "known_ratings": predictor.graph.n_ratings,
            "applying": applying(predictor),
            "writing": load(predictor, str(folder / "a.db"), rate, seconds, 0),
        }
        if entries:
            result["writing_and_reading"] = load(predictor, str(folder / "b.db"), rate, seconds, 1)
            result["replay"] = replay(predictor, str(folder / "c.db"), entries)
    click.echo(json.dumps(result, indent=1))
    if out is not None:
        before = json.loads(out.read_text()) if out.exists() else []
        out.write_text(json.dumps([*before, result], indent=1) + "\n")


if __name__ == "__main__":
    main()
