"""The server under its own page's load: latency of a newcomer's list on ML-1M, then 16 clients for a minute.

The server runs in a process of its own, with models of random weights, which take as long as trained ones.
Each answer is held against the one that the Predictor gives in this process.

Example: python scripts/bench_serve.py --data-dir ../shared/data
"""

from __future__ import annotations

import json
import multiprocessing
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import click
import measure
import numpy as np
from bench_predict import make_predictor

import igmc
from igmc.config import ServeConfig
from igmc.inference import Predictor
from igmc.inference.lists import recommend

Body = dict[str, Any]


def paper_predictor(data_dir: Path | None, cap: int) -> Predictor:
    """What is served: ML-1M as the paper splits it, and one checkpoint."""
    config = igmc.DataConfig("ml_1m")
    split = igmc.make_split(igmc.load_dataset(config, data_dir=data_dir), config, seed=1)
    return make_predictor(split, cap, checkpoints=1)


def run_server(data_dir: Path | None, cap: int, address: Any) -> None:
    """Serve until terminated; the port goes into the pipe."""
    from igmc.web import Experiment, Service, listen, make_app, serve

    limits = ServeConfig()
    app = make_app(Experiment.of(Service(paper_predictor(data_dir, cap), limits)), limits)
    with listen("127.0.0.1", 0) as listener:
        address.send(listener.getsockname()[1])
        serve(app, listener, limits)


def newcomers(predictor: Predictor, count: int, seed: int) -> list[Body]:
    """Requests with five ratings each, of items drawn by popularity."""
    rng = np.random.default_rng(seed)
    popularity = np.diff(predictor.graph.by_item.ptr)
    drawn = [
        rng.choice(len(popularity), 5, replace=False, p=popularity / popularity.sum()) for _ in range(count)
    ]
    return [
        {
            "k": 10,
            "ratings": [
                {"item_id": item, "rating": float(rng.integers(1, 6))}
                for item in predictor.items.decode(items)
            ],
        }
        for items in drawn
    ]


def expected(predictor: Predictor, body: Body) -> list[tuple[Any, float]]:
    """The items and scores that the server should answer with."""
    ratings = {one["item_id"]: one["rating"] for one in body["ratings"]}
    frame = recommend(predictor, ratings=ratings, k=body["k"])
    return [
        (item, round(float(score), 4)) for item, score in zip(frame["item_id"], frame["score"], strict=True)
    ]


def post(address: str, body: Body) -> tuple[int, Any]:
    """The status of an answer, and what it says."""
    request = urllib.request.Request(
        f"{address}/api/recommendations", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers)


def is_right(answer: Any, truth: list[tuple[Any, float]]) -> bool:
    """Whether an answer is somebody's own."""
    return [(one["item_id"], one["score"]) for one in answer["items"]] == truth


def latency(address: str, bodies: list[Body], truth: list[list[tuple[Any, float]]]) -> dict[str, Any]:
    """One request after the other, the first one, which warms up, left out."""
    seconds, wrong = [], 0
    for body, right in zip(bodies, truth, strict=True):
        start = time.perf_counter()
        status, answer = post(address, body)
        seconds.append(time.perf_counter() - start)
        wrong += status != 200 or not is_right(answer, right)
    ms = 1e3 * np.array(seconds[1:])
    return {
        "requests": len(ms),
        "median_ms": round(float(np.median(ms)), 1),
        "p95_ms": round(float(np.quantile(ms, 0.95)), 1),
        "wrong": wrong,
    }


def load(
    address: str, bodies: list[Body], truth: list[list[tuple[Any, float]]], clients: int, seconds: float
) -> dict[str, Any]:
    """Clients that ask without a pause, each in an order of its own; who is turned away waits as told."""
    statuses: Counter[int] = Counter()
    wrong, waits, lock = 0, [], threading.Lock()
    end = time.monotonic() + seconds

    def client(number: int) -> None:
        nonlocal wrong
        rng = np.random.default_rng(number)
        while time.monotonic() < end:
            at = int(rng.integers(len(bodies)))
            start = time.perf_counter()
            status, answer = post(address, bodies[at])
            took = time.perf_counter() - start
            with lock:
                statuses[status] += 1
                waits.append(took)
                wrong += status == 200 and not is_right(answer, truth[at])
            if status in (429, 503):
                time.sleep(float(answer.get("retry-after", 1)))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {
        "clients": clients,
        "seconds": seconds,
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "per_s": round(statuses[200] / seconds, 1),
        "p95_ms": round(1e3 * float(np.quantile(waits, 0.95)), 1),
        "other_errors": sum(count for status, count in statuses.items() if status not in (200, 429, 503)),
        "wrong": wrong,
    }


def resident_mib(process: int | None) -> float:
    """What a process holds in memory."""
    status = Path(f"/proc/{process}/status").read_text()
    return round(int(status.partition("VmRSS:")[2].split()[0]) / 2**10, 1)


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where ml-1m is.")
@click.option("--cap", default=100, help="Nodes a hop at most.")
@click.option("--requests", default=100, help="One after the other.")
@click.option("--clients", default=16, help="At the same time.")
@click.option("--seconds", default=60.0, help="For how long.")
@click.option("--save/--no-save", default=True, help="Write scripts/results/serve.json.")
def main(data_dir: Path | None, cap: int, requests: int, clients: int, seconds: float, save: bool) -> None:
    """Measure, print, and write scripts/results/serve.json."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=run_server, args=(data_dir, cap, there))
    process.start()
    predictor = paper_predictor(data_dir, cap)
    bodies = newcomers(predictor, requests + 1, seed=0)
    truth = [expected(predictor, body) for body in bodies]
    address = f"http://127.0.0.1:{here.recv()}"
    results: dict[str, Any] = {"cap": cap, "candidates": 200, "ratings": 5, "checkpoints": 1}
    results["one_at_a_time"] = latency(address, bodies, truth)
    load(address, bodies, truth, clients, seconds / 6)  # arenas and caches fill up first
    before = resident_mib(process.pid)
    results["at_once"] = load(address, bodies, truth, clients, seconds)
    results["memory_mib"] = {
        "before": before,
        "after": resident_mib(process.pid),
    }
    process.terminate()
    process.join(60)
    results["exit_code_after_sigterm"] = process.exitcode
    click.echo(json.dumps(results, indent=1))
    if save:
        measure.save("serve", results)


if __name__ == "__main__":
    main()
