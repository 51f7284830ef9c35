"""``igmc-extract``: the enclosing subgraphs of every part of a data set, stored once for many runs."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from igmc.cli.help import TeachingCommand
from igmc.cli.knobs import PlainOption
from igmc.cli.logs import shows_progress, start_logging
from igmc.cli.options import config_options, executor_option, read_config, running_options
from igmc.cli.output import emit, emit_json, human_bytes, table
from igmc.config import RunConfig
from igmc.errors import DataError

if TYPE_CHECKING:
    from igmc.graph import Part

__all__ = ["extract_command"]

logger = logging.getLogger(__name__)

_MEASURE_SECONDS = 2.0
_BLOCK = 256  # pairs


@dataclass(frozen=True)
class _PartStore:
    """One part of the data set and where its store lies."""

    part: Part
    fingerprint: str
    folder: Path


@click.command(
    "extract",
    cls=TeachingCommand,
    short_help="Store the enclosing subgraphs of a data set.",
    most_used=("dataset", "columns", "split", "max_nodes_per_hop", "live", "verify", "repair", "workers"),
    examples=(
        "igmc-extract --dataset demo",
        "igmc-extract --dataset ml_100k --split u1 --max-nodes-per-hop 200 --workers 2",
    ),
)
@config_options("data", "extract", "train.selection", "run.seed")
@click.option(
    "--verify", is_flag=True, help="Only verify the stored files; list damaged ones and exit with code 3."
)
@click.option("--repair", is_flag=True, help="Remove damaged files and recompute them.")
@click.option(
    "--live",
    is_flag=True,
    help="Write nothing: measure the speed of live extraction, as in 'igmc-train --live', "
    "and estimate the size of a store.",
)
@click.option("--compress", is_flag=True, help="Compress with gzip: smaller, but slower to write and read.")
@click.option(
    "--shard-size",
    cls=PlainOption,
    type=click.IntRange(1),
    metavar="N",
    help="Subgraphs per file, the unit of resuming [>= 1; default: about 32 MB per file]",
)
@executor_option
@running_options()
@click.pass_context
def extract_command(
    ctx: click.Context,
    file: Path | None,
    verify: bool,
    repair: bool,
    live: bool,
    compress: bool,
    shard_size: int | None,
    executor: str,
    data_dir: Path | None,
    home: Path | None,
    workers: int | None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Extract the enclosing subgraph of every rating of a data set, and store them for igmc-train.

    Writes one store per part (train, validation, test) to <home>/processed/<data set>. Finished shards are
    kept: after an interruption, the same command resumes. igmc-train with the same settings finds the stores
    by their fingerprint. With a cap, the test store holds the sample of the first checkpoint; the samples of
    the others are extracted on the fly. The content does not depend on --workers.
    """
    start_logging(verbose=verbose, quiet=quiet)
    if verify + repair + live > 1:
        raise click.UsageError("--verify, --repair and --live exclude each other", ctx)
    config = read_config(ctx, file, network="rgcn")
    stores = _part_stores(config, data_dir, home)
    if verify:
        return _verify(stores, as_json)
    if live:
        return _measure(stores, config, as_json)
    if repair:
        _clear_damage(stores)
    made = {
        store.part.name: _make(
            store,
            config,
            workers=workers,
            shard_size=shard_size,
            compress=compress,
            progress=shows_progress(quiet=quiet),
            executor=executor,
        )
        for store in stores
    }
    return _report(made, stores[0].folder.parent, as_json)


def _part_stores(config: RunConfig, data_dir: Path | None, home: Path | None) -> list[_PartStore]:
    """The parts that a run with this configuration has, and their stores' places."""
    from igmc.graph import make_parts
    from igmc.ratings import load_dataset, make_split
    from igmc.ratings.sources import home_dir
    from igmc.store import fingerprint, store_folder

    dataset = load_dataset(config.data, data_dir=data_dir, home=home)
    logger.info("%s", dataset.report)
    split = make_split(dataset, config.data, config.seed)
    split.scale.require_levels()
    parts = make_parts(split, config.train.selection)
    stores = []
    for part in parts.values():
        key = fingerprint(part.graph, part.pairs, config.extract, config.seed)
        folder = store_folder(home or home_dir(), dataset.name, part.name, key)
        stores.append(_PartStore(part, key, folder))
    return stores


def _make(store: _PartStore, config: RunConfig, **how: Any) -> dict[str, Any]:
    """Make one store, or what is missing of it; returns its line of the report."""
    from igmc.extract import extract_store

    report = extract_store(store.part, config.extract, seed=config.seed, folder=store.folder, **how)
    return {
        "folder": str(report.folder),
        "pairs": report.pairs,
        "pairs_made": report.pairs_made,
        "bytes": report.bytes,
        "seconds": round(report.seconds, 3),
        "digest": report.digest,
    }


def _report(made: dict[str, dict[str, Any]], folder: Path, as_json: bool) -> int:
    total = {key: sum(part[key] for part in made.values()) for key in ("pairs", "pairs_made", "bytes")}
    seconds = sum(part["seconds"] for part in made.values())
    digests = "".join(f"{name} {part['digest']}\n" for name, part in made.items())
    digest = hashlib.sha256(digests.encode()).hexdigest()
    if as_json:
        emit_json({"parts": made, **total, "seconds": round(seconds, 3), "digest": digest})
        return 0
    whole = {**total, "seconds": seconds, "digest": digest}
    rows = [
        [
            name,
            f"{line['pairs']:,}",
            f"{line['pairs_made']:,}",
            human_bytes(line["bytes"]),
            f"{line['seconds']:.1f} s",
            f"{line['pairs_made'] / line['seconds']:,.0f}" if line["pairs_made"] else "-",
            line["digest"][:16],
        ]
        for name, line in {**made, "all": whole}.items()
    ]
    header = ["part", "subgraphs", "of these new", "size", "time", "new a second", "digest"]
    emit(f"{table(header, rows)}\n\nin {folder}\ndigest of all: {digest}")
    return 0


def _verify(stores: list[_PartStore], as_json: bool) -> int:
    """Read everything again; 3 if anything is damaged."""
    from igmc.store import verify_store

    for store in stores:
        if not store.folder.is_dir():
            raise DataError(
                f"there is no store of the {store.part.name} part at {store.folder}",
                remedy="leave --verify out to make it, or use the settings that it was made with",
            )
    found = {s.part.name: verify_store(s.folder, fingerprint=s.fingerprint) for s in stores}
    damaged = sum(map(len, found.values()))
    if as_json:
        files = {
            name: [{"file": str(bad.path), "reason": bad.reason} for bad in damage]
            for name, damage in found.items()
        }
        emit_json({"damaged": damaged, "parts": files})
    else:
        lines = [f"{bad.path}: {bad.reason}" for damage in found.values() for bad in damage]
        for store in stores:
            state = f"{len(found[store.part.name])} damaged files" if found[store.part.name] else "all well"
            lines.append(f"{store.part.name}: {len(store.part.pairs):,} subgraphs, {state}")
        if damaged:
            lines.append("hint: run the same command with --repair instead of --verify")
        emit("\n".join(lines))
    return DataError.exit_code if damaged else 0


def _clear_damage(stores: list[_PartStore]) -> None:
    from igmc.store import repair_store

    for store in stores:
        if store.folder.is_dir():
            for bad in repair_store(store.folder, fingerprint=store.fingerprint):
                logger.warning("removed %s: %s", bad.path, bad.reason)


def _measure(stores: list[_PartStore], config: RunConfig, as_json: bool) -> int:
    """Extract a sample of each part in memory, and say how fast that went and how large a store would be."""
    from igmc.extract import projected_bytes

    measured = {}
    for store in stores:
        size = projected_bytes(store.part, config.extract, seed=config.seed)
        pairs = nodes = edges = 0
        start = time.perf_counter()
        for some_pairs, some_nodes, some_edges in _live(store.part, config):
            pairs, nodes, edges = pairs + some_pairs, nodes + some_nodes, edges + some_edges
            if time.perf_counter() - start > _MEASURE_SECONDS:
                break
        seconds = time.perf_counter() - start
        measured[store.part.name] = {
            "pairs": len(store.part.pairs),
            "nodes": round(nodes / max(pairs, 1), 1),
            "edges": round(edges / max(pairs, 1), 1),
            "rate": round(pairs / seconds, 1),
            "projected_bytes": size,
        }
    if as_json:
        emit_json({"parts": measured})
        return 0
    rows = [
        [
            name,
            f"{part['pairs']:,}",
            f"{part['nodes']:,.0f}",
            f"{part['edges']:,.0f}",
            f"{part['rate']:,.0f}",
            human_bytes(part["projected_bytes"]),
        ]
        for name, part in measured.items()
    ]
    header = ["part", "subgraphs", "nodes each", "edges each", "live a second", "size of a store"]
    emit(f"{table(header, rows)}\n\nnothing was written; the rate is that of one thread")
    return 0


def _live(part: Part, config: RunConfig) -> Iterator[tuple[int, int, int]]:
    """Pairs, nodes and edges of block after block of a part, in random order."""
    from igmc.graph import extract_subgraphs
    from igmc.rng import stream

    order = stream(config.seed, "measure").permutation(len(part.pairs))
    for start in range(0, len(order), _BLOCK):
        rows = order[start : start + _BLOCK]
        cut = extract_subgraphs(
            part.graph, part.pairs.user[rows], part.pairs.item[rows], config.extract, seed=config.seed
        )
        yield len(cut), cut.n_nodes, cut.n_edges
