"""Makes shards: a job that a worker process loads once and then runs block by block."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from igmc.config import ExtractConfig
from igmc.files import writing
from igmc.graph import BipartiteGraph, Subgraphs, extract_subgraphs
from igmc.processes import end_with_parent
from igmc.ratings import Pairs
from igmc.store import Manifest, shard_name, write_shard

__all__ = ["Job", "load_job", "make_shard", "make_shard_of", "save_job", "start_worker"]

BLOCK = 256  # pairs extracted at a time; their wide arrays fit the processor's cache
_SETTINGS = "job.json"


@dataclass(frozen=True, eq=False)
class Job:
    """Everything needed to make a shard.

    Attributes:
        folder: of the store.
        graph, pairs, config, seed: what to extract, and how.
        manifest: of the store.
        compress: whether shards are gzipped.
    """

    folder: Path
    graph: BipartiteGraph
    pairs: Pairs
    config: ExtractConfig
    seed: int
    manifest: Manifest
    compress: bool

    def make(self, shard: int) -> int:
        """Extract and write one shard; returns its number of pairs.

        Raises:
            IgmcError: if it cannot be written.
        """
        rows = self.manifest.rows(shard)
        write_shard(
            self.folder / shard_name(shard),
            self._blocks(rows),
            fingerprint=self.manifest.fingerprint,
            first=rows.start,
            shard_size=self.manifest.shard_size,
            compress=self.compress,
        )
        return int(rows.stop - rows.start)

    def _blocks(self, rows: slice) -> Iterator[tuple[Subgraphs, NDArray[np.float32]]]:
        for start in range(rows.start, rows.stop, BLOCK):
            block = slice(start, min(start + BLOCK, rows.stop))
            # Copies, since Numba compiles once more for arrays that are read-only.
            user, item = self.pairs.user[block].copy(), self.pairs.item[block].copy()
            subgraphs = extract_subgraphs(self.graph, user, item, self.config, seed=self.seed)
            yield subgraphs, self.pairs.rating[block]


def save_job(job: Job, work: Path) -> None:
    """Put a job where worker processes can map it into memory, so that all share one copy.

    Raises:
        IgmcError: if it cannot be written.
    """
    arrays = {f"graph-{name}": array for name, array in job.graph.arrays().items()}
    arrays |= {f"pairs-{name}": getattr(job.pairs, name) for name in ("user", "item", "rating")}
    settings = {
        "folder": str(job.folder.resolve()),
        "n_levels": job.graph.n_levels,
        "config": job.config.to_dict(),
        "seed": job.seed,
        "manifest": vars(job.manifest),
        "compress": job.compress,
    }
    with writing(work):
        work.mkdir()
        for name, array in arrays.items():
            np.save(work / f"{name}.npy", array)
        (work / _SETTINGS).write_text(json.dumps(settings))


def load_job(work: Path) -> Job:
    """The inverse of `save_job`."""
    settings = json.loads((work / _SETTINGS).read_text())
    # Copy-on-write maps count as writable: the kernel that is compiled already fits them.
    arrays = {path.stem: np.asarray(np.load(path, mmap_mode="c")) for path in work.glob("*.npy")}
    graph = {name.removeprefix("graph-"): a for name, a in arrays.items() if name.startswith("graph-")}
    pairs = {name.removeprefix("pairs-"): a for name, a in arrays.items() if name.startswith("pairs-")}
    return Job(
        folder=Path(settings["folder"]),
        graph=BipartiteGraph(n_levels=settings["n_levels"], **graph),
        pairs=Pairs(**pairs),
        config=ExtractConfig.from_dict(settings["config"]),
        seed=settings["seed"],
        manifest=Manifest(**settings["manifest"]),
        compress=settings["compress"],
    )


_job: Job | None = None  # of this worker process


def start_worker(work: Path) -> None:
    """Make this process ready for `make_shard`."""
    global _job
    end_with_parent()
    _job = load_job(work)


def make_shard(shard: int) -> int:
    """Make one shard of this process's job; returns its number of pairs."""
    if _job is None:
        raise RuntimeError("make_shard outside of a worker process")
    return _job.make(shard)


def make_shard_of(work: Path, shard: int) -> int:
    """Make one shard of the job of a folder, which this process loads once; returns its number of pairs."""
    global _loaded
    if _loaded is None or _loaded[0] != work:
        _loaded = work, load_job(work)
    return _loaded[1].make(shard)


_loaded: tuple[Path, Job] | None = None  # the folder and the job that this process has loaded
