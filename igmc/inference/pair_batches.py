"""Predictions for a Parquet of pairs of any length, in memory that does not grow with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from igmc.config import COVERAGE
from igmc.errors import ConfigError, DataError, MissingExtraError
from igmc.files import replacing
from igmc.inference.id_encoding import from_text
from igmc.inference.input_files import named_columns
from igmc.inference.predictor import Predictor
from igmc.progress import step
from igmc.ratings import IdTable, RawId

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["predict_batches", "predict_to_file"]

BATCH = 100_000  # pairs predicted at once
SUFFIXES = (".parquet", ".csv")


def predict_batches(
    predictor: Predictor,
    pairs: Path,
    *,
    clip: bool = True,
    coverage: float = COVERAGE,
    batch: int = BATCH,
    progress: bool = True,
) -> Iterator[pd.DataFrame]:
    """Predict the pairs of a Parquet, a batch at a time; a score does not depend on the batches.

    Args:
        predictor: ids are read as it writes them.
        pairs: a file, or a folder of files, with a column for users and one for items, named as in ratings.
        clip, coverage: see `Predictor.predict`.
        batch: pairs at once.
        progress: show a bar, if stderr is a terminal.

    Yields:
        what `Predictor.predict` returns, in the order of the pairs.

    Raises:
        DataError: if there is no such Parquet, its columns are not clear, or an id is missing.
        MissingExtraError: without pyarrow.
    """
    source, columns = _opened(pairs)
    done, total = 0, source.count_rows()
    with tqdm(total=total, desc="predictions", unit=" pairs", disable=None if progress else True) as bar:
        few = {"batch_readahead": 1, "fragment_readahead": 1}
        for piece in source.to_batches(columns=columns, batch_size=batch, **few):
            if not piece.num_rows:
                continue
            sides = zip(columns, (predictor.users, predictor.items), strict=True)
            users, items = (_ids(piece, name, table, f"{pairs}, row", done) for name, table in sides)
            found = predictor.predict(users, items, clip=clip, coverage=coverage)
            done += piece.num_rows
            yield found
            bar.update(piece.num_rows)
            step(f"{done:,} of {total:,} pairs")


def predict_to_file(predictor: Predictor, pairs: Path, out: Path, **how: Any) -> tuple[int, int]:
    """Write the predictions for a Parquet of pairs to a file, which is there whole in the end or not at all.

    Args:
        predictor, pairs: see `predict_batches`.
        out: ``.parquet`` or ``.csv``, with the columns of `Predictor.predict`.
        **how: see `predict_batches`.

    Returns:
        how many pairs, and for how many of them a damped mean answers.

    Raises:
        ConfigError: if `out` ends otherwise.
        IgmcError: as `predict_batches`, or if the file cannot be written.
    """
    if out.suffix not in SUFFIXES:
        raise ConfigError(
            "predictions go to a file of another kind",
            got=out.name,
            allowed=f"a name that ends in {' or '.join(SUFFIXES)}",
        )
    source, columns = _opened(pairs)
    whole = [_is_whole(source.schema.field(name).type) for name in columns]
    count = means = 0
    with replacing(out) as file, ExitStack() as open_writers:
        writer: Any = None
        for found in predict_batches(predictor, pairs, **how):
            if out.suffix == ".csv":
                file.write(found.to_csv(index=False, header=not count, float_format="%.4f").encode())
            else:
                table = _table(found, whole)
                if writer is None:
                    writer = open_writers.enter_context(_parquet_writer(file, table.schema))
                writer.write_table(table)
            count += len(found)
            means += int((found["source"] != "model").sum())
        if not count:
            raise DataError(f"{pairs} holds no pairs", allowed="a row for each pair")
    return count, means


def _opened(pairs: Path) -> tuple[Any, list[str]]:
    """The data set of pyarrow, and the names of the columns of users and of items."""
    try:
        import pyarrow as pa
        from pyarrow import dataset
    except ImportError as error:
        raise MissingExtraError(f"{pairs} is Parquet", extra="parquet") from error
    if not pairs.exists():
        raise DataError("there is no such file or folder", got=pairs)
    try:
        source = dataset.dataset(str(pairs), format="parquet", exclude_invalid_files=pairs.is_dir())
        names = list(source.schema.names)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{pairs} cannot be read as Parquet", got=str(error)[:100]) from error
    places = named_columns(names)
    if any(len(places.get(side, ())) != 1 for side in ("user", "item")):
        raise DataError(
            f"the columns of {pairs} do not tell users and items",
            got=", ".join(names)[:200],
            allowed="one named user_id, and one named item_id",
        )
    return source, [names[places[side][0]] for side in ("user", "item")]


def _ids(piece: pa.RecordBatch, name: str, table: IdTable, where: str, before: int) -> list[RawId]:
    column = piece.column(name)
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
        raise DataError(f"{where} {before + row + 1}: an id is missing", got=f"{name} is null")
    return from_text(table, [str(raw) for raw in column.to_pylist()])


def _is_whole(kind: Any) -> bool:
    import pyarrow as pa

    found: bool = pa.types.is_integer(kind)
    return found


def _table(found: pd.DataFrame, whole: list[bool]) -> pa.Table:
    """Predictions with ids as the pairs have them: whole numbers, or texts."""
    import pyarrow as pa

    columns = {}
    for name, is_whole in zip(("user_id", "item_id"), whole, strict=True):
        kind, raw = (pa.int64(), int) if is_whole else (pa.string(), str)
        columns[name] = pa.array([raw(one) for one in found[name]], kind)
    columns["score"] = pa.array(found["score"].to_numpy(), pa.float32())
    columns["source"] = pa.array(found["source"].tolist(), pa.string())
    bounds = {
        name: pa.array(found[name].to_numpy(), pa.float32()) for name in ("low", "high") if name in found
    }
    return pa.table(columns | bounds)


def _parquet_writer(file: Any, schema: pa.Schema) -> Any:
    from pyarrow import parquet

    return parquet.ParquetWriter(file, schema)
