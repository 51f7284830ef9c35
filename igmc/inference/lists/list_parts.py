"""Lists for all users of a run in a folder of Parquet files, which may be interrupted, and shared out."""

from __future__ import annotations

import hashlib
import json
import pickle
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from igmc.errors import ConfigError, DataError, IgmcError, MissingExtraError
from igmc.files import locked, replace_file, replacing, sweep, writing
from igmc.inference.base import BasePredictor
from igmc.inference.lists.filters import eligible_items
from igmc.inference.lists.recommend import list_items
from igmc.inference.lists.recommend_all import Written
from igmc.inference.lists.request import ListRequest
from igmc.jobs import LOCAL, check_executor, drive, loaded, ray_executor
from igmc.progress import step
from igmc.ratings import IdTable, RawId

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MANIFEST", "recommend_parts"]

MANIFEST = "manifest.json"
FORMAT = "lists of igmc, version 2"
BLOCK = 1000  # users of a part
_Block = tuple[int, tuple[RawId, ...]]  # its number, and the users whose lists it holds
_PART = re.compile(r"part-(\d{5,})\.parquet")


@dataclass(frozen=True)
class _Job:
    """What is to be written where; a part is a function of this, its number and its users."""

    folder: Path
    request: ListRequest
    columns: pa.Schema

    def path(self, part: int) -> Path:
        return self.folder / f"part-{part:05}.parquet"


def recommend_parts(
    predictor: BasePredictor,
    folder: str | Path,
    request: ListRequest,
    *,
    users: Iterable[RawId] | None = None,
    block: int = BLOCK,
    load: Callable[[], BasePredictor] | None = None,
    executor: str = LOCAL,
    workers: int | None = None,
    progress: bool = True,
) -> Written:
    """Write the lists of many users as ``part-00000.parquet``, ... in memory that does not grow with them.

    Each part is there whole or not at all. A call that was interrupted goes on where it stopped; what is
    written does not depend on the executor. ``manifest.json`` says what the lists are of.

    Args:
        predictor: what is known.
        folder: made if it is not there; of nothing else.
        request: which items, how many and how; its user and ratings do not count.
        users: raw ids of known users; all users of the predictor if None.
        block: users of a part.
        load: gives the same predictor in a worker of Ray; it must be picklable.
        executor: "local", "ray" or "ray://HOST:PORT"; see `igmc.jobs`. Ray's workers must see the folder.
        workers: of Ray.
        progress: show a bar, if stderr is a terminal.

    Raises:
        ConfigError: on an unknown executor, and as `recommend` does.
        DataError: on an unknown user; if ids are both numbers and texts; or if the folder holds other lists.
        MissingExtraError: without pyarrow, or without Ray for its workers.
        IgmcError: if the folder cannot be written.
    """
    if check_executor(executor) != LOCAL and load is None:
        raise ConfigError("workers of Ray load the predictor themselves", got="no load", allowed="a function")
    chosen = predictor.users.ids if users is None else tuple(users)
    # What Parquet cannot hold is refused before anything is written.
    job = _Job(Path(folder).resolve(), replace(request, user_id=None, ratings={}), _schema(predictor))
    unknown = np.flatnonzero(predictor.users.encode(chosen) < 0)
    if len(unknown):
        raise DataError("the run knows no such user", got=chosen[unknown[0]])
    parts = [chosen[low : low + block] for low in range(0, len(chosen), block)]
    with writing(job.folder):
        job.folder.mkdir(parents=True, exist_ok=True)
    with locked(job.folder):
        sweep(job.folder)
        _claim(job, predictor, chosen, block)
        missing = [(part, asked) for part, asked in enumerate(parts) if not job.path(part).exists()]
        done = len(chosen) - sum(len(asked) for _, asked in missing)
        off = None if progress else True
        with tqdm(total=len(chosen), initial=done, desc="lists", unit="user", disable=off) as bar:
            if executor == LOCAL:
                for one in missing:
                    bar.update(_write(job, predictor, one))
            else:
                work = partial(_write_remote, pickle.dumps(load), job)
                with ray_executor(executor, workers) as ray:
                    drive(ray, work, missing, ray.workers, bar.update)
        return _counted(job, len(parts))


def _schema(predictor: BasePredictor) -> pa.Schema:
    """The columns of a part: those of `igmc.recommend`, with the same types in every part.

    Raises:
        DataError: if ids are both numbers and texts, or neither.
        MissingExtraError: without pyarrow.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise MissingExtraError(
            "a folder of Parquet files needs pyarrow",
            extra="parquet",
            remedy="or name a file that ends in .csv or .jsonl",
        ) from error
    kinds = {int: pa.int64(), str: pa.string()}
    columns = [(f"{side}_id", kinds[_kind(side, table)]) for side, table in _tables(predictor)]
    columns += [("score", pa.float32()), ("lift", pa.float32())] if predictor.rates else []
    columns += [("rank", pa.int32())]
    if predictor.info is not None:
        columns += [("title", pa.string()), ("genres", pa.string()), ("year", pa.int32())]
    columns += [("relevance", pa.float32())]
    if predictor.rates:
        columns += [("source", pa.string()), ("low", pa.float32()), ("high", pa.float32())]
    return pa.schema(columns)


def _tables(predictor: BasePredictor) -> list[tuple[str, IdTable]]:
    return [("user", predictor.users), ("item", predictor.items)]


def _kind(side: str, table: IdTable) -> type:
    kinds = {type(raw) for raw in table.ids} or {int}
    if len(kinds) > 1 or not kinds <= {int, str}:
        raise DataError(
            f"a Parquet column cannot hold the {side} ids",
            got=" and ".join(sorted(kind.__name__ for kind in kinds)),
            allowed="whole numbers only, or texts only",
            remedy="name a file that ends in .jsonl",
        )
    return kinds.pop()


def _claim(job: _Job, predictor: BasePredictor, users: tuple[RawId, ...], block: int) -> None:
    """Note what the lists of the folder are of; refuse a folder of others."""
    told = {
        "format": FORMAT,
        "known": _digest(predictor),
        "request": hashlib.sha256(repr(sorted(_plain(job.request).items())).encode()).hexdigest(),
        "users": len(users),
        "users_digest": hashlib.sha256(repr(users).encode()).hexdigest(),
        "block": block,
        "parts": -(-len(users) // block),
        "settings": asdict(job.request.config),
    }
    path = job.folder / MANIFEST
    if not path.exists():
        if any(_PART.fullmatch(one.name) for one in job.folder.iterdir()):
            raise DataError(f"{job.folder} holds lists without a manifest", remedy="name another folder")
        replace_file(path, json.dumps(told, indent=1).encode() + b"\n")
        return
    try:
        there = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}", remedy="remove the folder") from error
    written = there.get("format") if isinstance(there, dict) else None
    if isinstance(written, str) and written != FORMAT:
        raise DataError(
            f"{job.folder} holds lists in the format of another version of igmc",
            got=written,
            allowed=FORMAT,
            remedy="name another folder, or remove this one",
        )
    other = [name for name in told if not isinstance(there, dict) or there.get(name) != told[name]]
    if other:
        raise DataError(
            f"{job.folder} holds lists of another run or request",
            got=f"another {', '.join(other)}",
            remedy="name another folder, or remove this one",
        )


def _plain(request: ListRequest) -> dict[str, Any]:
    """The settings of a request; sets in an order that is the same in every process."""
    found = {**asdict(request), "config": sorted(asdict(request.config).items())}
    sets = {name: value for name, value in found.items() if isinstance(value, frozenset)}
    return found | {name: sorted(map(repr, value)) for name, value in sets.items()}


def _digest(predictor: BasePredictor) -> str:
    """Equal for equal weights, ids and known ratings, as far as a run tells its weights."""
    rows = predictor.graph.by_user
    arrays = (rows.ptr, rows.neighbours, rows.levels, *rows.patch)
    told = hashlib.sha256()
    ids = predictor.users.digest(), predictor.items.digest()
    told.update(repr((predictor.config.digest(), predictor.epochs, *ids)).encode())
    for array in arrays:
        told.update(np.ascontiguousarray(array).data)
    return told.hexdigest()


def _write(job: _Job, predictor: BasePredictor, one: _Block) -> int:
    """Write a part; returns how many users it is of."""
    import pyarrow as pa
    from pyarrow import parquet

    part, users = one
    eligible, short = eligible_items(predictor, job.request), 0
    values: dict[str, list[Any]] = {name: [] for name in job.columns.names}
    for user in users:
        found = list_items(predictor, replace(job.request, user_id=user, ratings=None), eligible=eligible)
        told = found.columns(predictor, user)
        for name, column in values.items():
            column += told.get(name, [None] * len(found.item))
        short += bool(found.reason)
        step(f"lists of {user!r} and those before")
    facts = {"users": len(users), "items": len(values["user_id"]), "short": short}
    noted = job.columns.with_metadata({"igmc": json.dumps(facts)})
    with replacing(job.path(part)) as file:
        parquet.write_table(pa.table(values, schema=noted), file)
    return len(users)


def _write_remote(load: bytes, job: _Job, one: _Block) -> int:
    return _write(job, loaded(load), one)


def _counted(job: _Job, parts: int) -> Written:
    from pyarrow import parquet

    total = {"users": 0, "items": 0, "short": 0}
    for part in range(parts):
        try:
            facts = json.loads(parquet.read_schema(job.path(part)).metadata[b"igmc"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IgmcError(
                f"{job.path(part)} is damaged: {str(error)[:100]}",
                remedy="remove it, and run the command again",
            ) from error
        for name in total:
            total[name] += facts[name]
    return Written(**total)
