"""What a machine offers to igmc, and whether the compiled code computes there what plain code does."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from igmc.compiled import kernel_folder
from igmc.config import ExtractConfig, ModelConfig
from igmc.environment import machine, versions
from igmc.errors import IgmcError
from igmc.files import home_dir
from igmc.graph import BipartiteGraph, Part, extract_subgraphs, reference_subgraphs
from igmc.loading import LiveSource, Loader, NeighbourBatch
from igmc.models import IGMC, NeighboursEnsemble
from igmc.ratings import Pairs
from igmc.statistics import GraphStatistics, InputNorms, read_neighbours, reference_pair
from igmc.threads import cores

__all__ = ["Finding", "examine"]

LEAST_FREE = 10**9  # bytes, below which a store or the checkpoints of a long run may not fit
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what; value: how it is.
        ok: whether that is as it should be; remedy: what to do if not.
    """

    name: str
    value: str
    ok: bool = True
    remedy: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


def examine(home: str | Path | None = None) -> Iterator[Finding]:
    """Look at versions, processor, folders and the compiled code, in a few seconds.

    Args:
        home: see `igmc.files.home_dir`, which is the default.
    """
    for name, version in versions().items():
        yield Finding(name, version)
    yield Finding("machine", machine())
    yield Finding("cores", f"{cores()} of {os.cpu_count()}, {torch.get_num_threads()} threads of torch")
    yield Finding("BLAS", f"{np.show_config(mode='dicts')['Build Dependencies']['blas']['name']} in NumPy")
    yield _cuda()
    try:
        place = Path(home or home_dir())
    except IgmcError as error:
        yield Finding("home", error.what, ok=False, remedy=error.remedy or "")
    else:
        yield _folder("home", place)
    yield _kernels()
    yield _folder("runs", Path("runs"))
    for name, test in (
        ("extraction kernel", _extraction),
        ("network kernels", _network),
        ("neighbours kernels", _neighbours),
    ):
        yield _tested(name, test)


def _cuda() -> Finding:
    if not torch.cuda.is_available():
        return Finding("CUDA", "none; training runs on the processor")
    return Finding("CUDA", ", ".join(torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())))


def _folder(name: str, path: Path) -> Finding:
    """Whether files can be made in a folder, or in the one that it will be made in, and how many."""
    there = next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=there):
            pass
    except OSError as error:
        remedy = "choose a folder that can be written: IGMC_HOME for downloads and stores, --out for runs"
        return Finding(name, f"{path}: {error.strerror or error}", ok=False, remedy=remedy)
    free = shutil.disk_usage(there).free
    return Finding(
        name,
        f"{path}, {free / 1e9:.1f} GB free",
        ok=free >= LEAST_FREE,
        remedy="" if free >= LEAST_FREE else "free some space, or choose another disk",
    )


def _kernels() -> Finding:
    folder = kernel_folder()
    if folder is None:
        remedy = "set IGMC_HOME to a folder that can be written"
        return Finding(
            "compiled kernels", "not cached; each process recompiles them", ok=False, remedy=remedy
        )
    kept = len(list(folder.glob("*.nbc"))) if folder.is_dir() else 0
    return Finding("compiled kernels", f"{kept} in {folder}")


def _tested(name: str, test: Callable[[], float]) -> Finding:
    """The largest difference from plain code, and how long it took to find."""
    start = time.perf_counter()
    try:
        difference = test()
    except Exception as error:  # whatever it is, it is what the examination is for
        return Finding(name, f"{type(error).__name__}: {error}", ok=False, remedy=_REPORT)
    seconds = time.perf_counter() - start
    ok = bool(difference <= TOLERANCE)
    value = f"differs from plain code by {difference:.1g} ({seconds:.1f} s)"
    return Finding(name, value, ok=ok, remedy="" if ok else _REPORT)


_REPORT = "report it with the output of igmc doctor --json; meanwhile trust no figure of this machine"


def _ratings() -> tuple[BipartiteGraph, Pairs]:
    """A small random graph, and the pairs of its first ratings."""
    rng = np.random.default_rng(0)
    user, item = np.divmod(rng.choice(40 * 30, 400, replace=False), 30)
    level = rng.integers(0, 5, 400)
    graph = BipartiteGraph.from_ratings(user, item, level, n_users=40, n_items=30, n_levels=5)
    asked = slice(0, 40)
    pairs = Pairs(
        user[asked].astype(np.int32), item[asked].astype(np.int32), (level[asked] + 1).astype(np.float32)
    )
    return graph, pairs


def _extraction() -> float:
    graph, pairs = _ratings()
    config = ExtractConfig(hops=2, max_nodes_per_hop=5)
    asked = graph, pairs.user, pairs.item, config
    fast, plain = extract_subgraphs(*asked, seed=1), reference_subgraphs(*asked, seed=1)
    same = all(np.array_equal(getattr(fast, f.name), getattr(plain, f.name)) for f in fields(fast))
    return 0.0 if same else 1.0


def _network() -> float:
    graph, pairs = _ratings()
    source = LiveSource(Part("train", graph, pairs), ExtractConfig(), seed=1)
    [batch] = Loader(source, len(pairs.user), seed=1).epoch(1)
    answers = []
    for backend in ("auto", "torch"):
        model = IGMC(ModelConfig(), n_levels=5, seed=1, backend=backend).eval()
        with torch.inference_mode():
            answers.append(model(batch))
    return float((answers[0] - answers[1]).abs().max())


def _neighbours() -> float:
    graph, _ = _ratings()
    user, item = np.repeat(np.arange(40, dtype=np.int32), np.diff(graph.user_ptr)), graph.user_items
    rating = (graph.user_levels + 1).astype(np.float32)
    known = {(u, i): r for u, i, r in zip(user.tolist(), item.tolist(), rating.tolist(), strict=True)}
    u, i = next((u, i) for u in range(40) for i in range(30) if (u, i) not in known)
    statistics = GraphStatistics.of_ratings(user, item, rating, n_users=40, n_items=30, span=4.0)
    pair = np.array([u], np.int32), np.array([i], np.int32)
    found = read_neighbours(statistics, *pair, cap=1000, norms=InputNorms.identity())
    plain = reference_pair(known, u, i, 4.0)
    apart = [found.base[:1] - plain.base, found.pair[0] - np.array(plain.pair)]
    for mine, theirs in ((found.users, plain.users), (found.items, plain.items)):
        apart += [mine.rows[k] - np.array(theirs[v][1]) for k, v in enumerate(mine.node.tolist())]
    steps = [
        NeighboursEnsemble(1, dropout=0.0, seed=1, backend=backend).steps(NeighbourBatch.whole(found))
        for backend in ("auto", "torch")
    ]
    return float(np.abs(np.concatenate([*apart, steps[0] - steps[1]])).max())
