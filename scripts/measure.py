"""What the benchmarks share: the machine's own limits, interleaved timing, and the result file."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import record
import torch

import igmc
from igmc.environment import machine, versions
from igmc.graph import Part
from igmc.ratings import Split


def setting() -> dict[str, Any]:
    """Date, machine and versions, for the head of a result file."""
    return {"date": date.today().isoformat(), "machine": machine(), "versions": versions()}


def paper_part(dataset: str, data_dir: Path | None) -> Part:
    """The training ratings of a data set as the paper trains on them, with the default split and seed 1."""
    return igmc.make_parts(paper_split(dataset, data_dir), "fixed")["train"]


def paper_split(dataset: str, data_dir: Path | None) -> Split:
    """The default split of a data set, with seed 1."""
    config = igmc.DataConfig(dataset=dataset)
    return igmc.make_split(igmc.load_dataset(config, data_dir=data_dir), config, seed=1)


def limits(rounds: int = 5) -> dict[str, float]:
    """What one core and all cores can do: float32 matrix product in GFLOP/s, memory copy in GB/s."""
    a, b = torch.rand(1024, 1024), torch.rand(1024, 1024)
    source = torch.rand(2**26)  # 256 MiB, far beyond the caches
    target = torch.empty_like(source)
    found = {}
    threads = torch.get_num_threads()
    for name, count in (("one_core", 1), ("all_cores", threads)):
        torch.set_num_threads(count)
        product = median_seconds(lambda: torch.mm(a, b), rounds)
        copy = median_seconds(lambda: target.copy_(source), rounds)
        found[f"matmul_gflops_{name}"] = 2 * 1024**3 / product / 1e9
        found[f"copy_gb_per_s_{name}"] = 2 * source.nbytes / copy / 1e9
    torch.set_num_threads(threads)
    return found


def median_seconds(task: Callable[[], Any], rounds: int) -> float:
    """Median wall time of a task over several rounds, after one to warm up."""
    task()
    return statistics.median(seconds(task) for _ in range(rounds))


def interleaved(tasks: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Median wall time of each task, round by round in turn, so that all meet the same noise."""
    for task in tasks.values():
        task()
    times = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            times[name].append(seconds(task))
    return {name: statistics.median(values) for name, values in times.items()}


def seconds(task: Callable[[], Any]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def peak_memory_gib() -> float:
    """The most memory this process has held, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def save(name: str, results: dict[str, Any]) -> None:
    """Write ``results/<name>.json``, with the setting at its head."""
    record.write(name, {**setting(), **results})
