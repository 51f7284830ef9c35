"""Makes a store: plans its shards, keeps existing ones, and lets worker processes make the rest."""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import (
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tqdm import tqdm

from igmc.argument_types import checked_types
from igmc.config import ExtractConfig
from igmc.errors import ConfigError, IgmcError, StoreError
from igmc.extract.size import bytes_per_pair, choose_shard_size
from igmc.extract.worker import Job, make_shard, make_shard_of, save_job, start_worker
from igmc.files import WORK, locked, sweep, writing
from igmc.graph import Part
from igmc.jobs import LOCAL, check_executor, drive, ray_executor
from igmc.processes import GUARD
from igmc.store import (
    DIGEST,
    Manifest,
    check_fingerprint,
    content_digest,
    fingerprint_of,
    origin,
    read_column,
    read_commit,
    read_manifest,
    shard_name,
    write_manifest,
)

__all__ = ["ExtractReport", "extract_store"]

logger = logging.getLogger(__name__)

POOL_SHARDS = 4  # fewer are done before a pool has started


@dataclass(frozen=True)
class ExtractReport:
    """The report of an extraction.

    Attributes:
        folder: of the store.
        pairs: in the store; pairs_made: those extracted by this call.
        shards_made, shards_kept: the same in shards.
        bytes: size of all shards on the disk; seconds: wall-clock time of the call.
        digest: content digest of the store.
    """

    folder: Path
    pairs: int
    pairs_made: int
    shards_made: int
    shards_kept: int
    bytes: int
    seconds: float
    digest: str


@checked_types
def extract_store(
    part: Part,
    config: ExtractConfig,
    *,
    seed: int,
    folder: str | Path,
    workers: int | None = None,
    shard_size: int | None = None,
    compress: bool = False,
    progress: bool = True,
    executor: str = LOCAL,
) -> ExtractReport:
    """Store the enclosing subgraph of every pair of a part; existing shards are kept.

    The content is the same for any number of workers and any shard size. It can be interrupted and called
    again, and waits while another process makes the same store.

    In a script, call it with more than one worker only under ``if __name__ == "__main__":``, since workers
    import the script again.

    Args:
        part: the pairs and the graph.
        config, seed: of the extraction.
        folder: of the store; created if missing.
        workers: processes, 1 or more, all cores if None; 1 works in this process, and so do small jobs.
        shard_size: pairs per shard, 1 or more; by size if not given. An incomplete store keeps its own.
        compress: gzip new shards.
        progress: show a bar, if stderr is a terminal.
        executor: see `igmc.jobs`; Ray's workers must see the folder under the same path.

    Raises:
        ConfigError: on a number of workers or a shard size below 1; or if called from a worker.
        StoreError: if the folder holds a store made from something else, or a damaged one.
        IgmcError: if the folder cannot be written, or a worker process died.
    """
    check_executor(executor)
    for name, value in (("workers", workers), ("shard size", shard_size)):
        if value is not None and value < 1:
            raise ConfigError(f"the {name} of an extraction is too small", got=value, allowed="1 or more")
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        # The lock below is held by the process that waits for this one.
        raise ConfigError(
            "extract_store was called from one of its own worker processes",
            remedy=f"put the call {GUARD}",
        )
    start, folder = time.perf_counter(), Path(folder)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder, wait=True):  # of two runs that need the same store, one makes it for both
        sweep(folder)
        manifest = _plan(part, config, seed, folder, shard_size)
        job = Job(folder, part.graph, part.pairs, config, seed, manifest, compress)
        missing = _missing(folder, manifest)
        if missing:
            _make(job, missing, workers, progress, executor)
        digest = _finish(folder, manifest)
    return ExtractReport(
        folder=folder,
        pairs=manifest.pairs,
        pairs_made=_count(manifest, missing),
        shards_made=len(missing),
        shards_kept=manifest.shards - len(missing),
        bytes=sum((folder / shard_name(shard)).stat().st_size for shard in range(manifest.shards)),
        seconds=time.perf_counter() - start,
        digest=digest,
    )


def _plan(part: Part, config: ExtractConfig, seed: int, folder: Path, shard_size: int | None) -> Manifest:
    """The manifest of the store that is there, else that of a new one."""
    source = origin(part.graph, part.pairs, config, seed)
    key = fingerprint_of(source)
    manifest = read_manifest(folder)
    if manifest is None:
        size = (
            _size_on_disk(folder, key)
            or shard_size
            or choose_shard_size(bytes_per_pair(part, config, seed=seed))
        )
        manifest = Manifest(key, source, len(part.pairs), size)
        write_manifest(folder, manifest)
    check_fingerprint(folder, manifest, key)
    return manifest


def _size_on_disk(folder: Path, key: str) -> int | None:
    """The shard size of shards whose manifest was lost."""
    for path in sorted(folder.glob("*.h5")):
        try:
            commit = read_commit(path)
        except StoreError:
            continue
        if commit.fingerprint == key:
            return commit.shard_size
    return None


def _missing(folder: Path, manifest: Manifest) -> list[int]:
    """The shards that are not there; those that are have their commit records checked."""
    missing = []
    for shard in range(manifest.shards):
        if (folder / shard_name(shard)).exists():
            manifest.commit(folder, shard)
        else:
            missing.append(shard)
    return missing


def _finish(folder: Path, manifest: Manifest) -> str:
    """The content digest, written into the manifest unless it stands there."""
    names = [shard_name(shard) for shard in range(manifest.shards)]
    digest = content_digest(read_column(folder / name, DIGEST) for name in names)
    if manifest.content_digest is None:
        write_manifest(folder, replace(manifest, content_digest=digest))
    elif manifest.content_digest != digest:
        raise StoreError(
            f"the store {folder} changed after it was completed",
            got=digest,
            allowed=manifest.content_digest,
            remedy="remove the folder and extract again",
        )
    return digest


def _make(job: Job, missing: list[int], workers: int | None, progress: bool, executor: str) -> None:
    """Make the missing shards, in order, with a bar that counts pairs."""
    manifest, many = job.manifest, workers or len(os.sched_getaffinity(0))
    bar = tqdm(
        total=manifest.pairs,
        initial=manifest.pairs - _count(manifest, missing),
        desc=job.folder.name.split("-")[0],
        unit=" pairs",
        file=sys.stderr,
        disable=None if progress else True,  # None: off when stderr is no terminal
    )
    try:
        with bar:
            if executor != LOCAL:
                _in_ray(job, missing, workers, executor, bar.update)
            elif many > 1 and len(missing) >= POOL_SHARDS:
                _in_processes(job, missing, many, bar.update)
            else:
                # A thread, since a signal that hits a Numba kernel in the main one ends in a SystemError.
                with ThreadPoolExecutor(1) as thread:
                    drive(thread, job.make, missing, 1, bar.update)
    except (KeyboardInterrupt, SystemExit):
        logger.warning(
            "interrupted: %d of %d shards are stored; the same command resumes from there",
            sum((job.folder / shard_name(shard)).exists() for shard in range(manifest.shards)),
            manifest.shards,
        )
        raise


def _in_processes(job: Job, missing: list[int], workers: int, done: Callable[[int], object]) -> None:
    context = multiprocessing.get_context("spawn")  # fork would copy the locks of other threads
    work = job.folder / WORK
    try:
        save_job(job, work)
        with ProcessPoolExecutor(workers, context, start_worker, (work,)) as executor:
            drive(executor, make_shard, missing, workers, done)
    except BrokenProcessPool as error:
        raise IgmcError(
            "a worker process died, usually for lack of memory",
            remedy="run the same command again with fewer --workers: it resumes where it stopped; "
            f"from a script of your own, call it {GUARD}",
        ) from error
    finally:
        sweep(job.folder)


def _in_ray(
    job: Job, missing: list[int], workers: int | None, name: str, done: Callable[[int], object]
) -> None:
    work = job.folder.resolve() / WORK
    try:
        save_job(job, work)
        with ray_executor(name, workers) as executor:
            drive(executor, partial(make_shard_of, work), missing, executor.workers, done)
    finally:
        sweep(job.folder)


def _count(manifest: Manifest, shards: Iterable[int]) -> int:
    return sum(rows.stop - rows.start for rows in map(manifest.rows, shards))
