"""The splits of Monti, Bronstein & Bresson (NIPS 2017): MATLAB 7.3 files, which are HDF5."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from igmc.errors import DataError
from igmc.ratings.dataset import Dataset, ReadReport
from igmc.ratings.ids import IdTable
from igmc.ratings.scale import KnownScale
from igmc.ratings.table import RatingTable

__all__ = ["MONTI_FILE", "read_monti"]

MONTI_FILE = "training_test_dataset.mat"
_SCALES = {
    "flixster": KnownScale(0.5, 5, 0.5),
    "douban": KnownScale(1, 5),
    # Few of the hundred ratings occur: a relation for each of the others would have nothing to learn from.
    "yahoo_music": KnownScale(1, 100, all_levels=False),
}
_REMEDY = "move its folder away and fetch the data set again"


def read_monti(folder: Path, name: str) -> Dataset:
    """A Monti set: matrix M, masks Otraining and Otest, and side graphs where the file has them.

    The raw ids are the row and column numbers of the matrix, from 0; all of them are kept, rated or not.

    Raises:
        DataError: if the file is missing or damaged, or its matrices do not fit together.
    """
    path = folder / MONTI_FILE
    if not path.is_file():
        raise DataError(f"there is no file {path}", remedy="check --data-dir, or fetch the data set")
    try:
        with h5py.File(path) as file:
            ratings, training, test = (_matrix(file, path, key) for key in ("M", "Otraining", "Otest"))
            graphs = [
                next((_matrix(file, path, key) for key in keys if key in file), None)
                for keys in (("W_users",), ("W_movies", "W_tracks"))
            ]
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error})", allowed="a MATLAB 7.3 file", remedy=_REMEDY
        ) from error
    table, rows = _table(path, ratings, training, test, _SCALES.get(name))
    for key, graph, size in zip(("users", "items"), graphs, ratings.shape, strict=True):
        if graph is not None and graph.shape != (size, size):
            raise DataError(
                f"{path}: the side graph of {key} has the wrong shape",
                got=graph.shape,
                allowed=f"{size} x {size}",
            )
    user_graph, item_graph = graphs
    return Dataset(
        name,
        table,
        ReadReport(str(path), len(table)),
        splits={"monti": rows},
        scale_hint=_SCALES.get(name),
        user_graph=user_graph,
        item_graph=item_graph,
    )


def _table(
    path: Path,
    ratings: sparse.csr_array,
    training: sparse.csr_array,
    test: sparse.csr_array,
    known: KnownScale | None,
) -> tuple[RatingTable, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    if not ratings.shape == training.shape == test.shape:
        got = (ratings.shape, training.shape, test.shape)
        raise DataError(f"{path}: M, Otraining and Otest differ in shape", got=got, remedy=_REMEDY)
    width = ratings.shape[1]
    held, wanted = (
        [m.nonzero()[0].astype(np.int64) * width + m.nonzero()[1] for m in group]
        for group in ((ratings,), (training, test))
    )
    keys = np.concatenate(wanted)
    order = np.argsort(keys, kind="stable")
    if np.any(np.diff(keys[order]) == 0):
        raise DataError(f"{path}: Otraining and Otest share a rating", remedy=_REMEDY)
    if not np.array_equal(keys[order], np.sort(held[0])):
        raise DataError(
            f"{path}: the ratings of M are not those of Otraining and Otest together",
            got=f"{len(held[0])} ratings, {len(keys)} in the masks",
            remedy=_REMEDY,
        )
    user, item = np.divmod(keys[order], width)
    values = ratings.toarray()[user, item].astype(np.float64)
    if known is not None and (outside := known.outside(values)).size:
        row = int(outside[0])
        raise DataError(
            f"{path}: the rating of user {user[row]} for item {item[row]} is outside the scale",
            got=float(values[row]),
            allowed=str(known),
            remedy=_REMEDY,
        )
    users, items = (IdTable(tuple(range(size))) for size in ratings.shape)
    is_training = order < len(wanted[0])
    rows = np.flatnonzero(is_training), np.flatnonzero(~is_training)
    return RatingTable(users, items, user, item, values), rows


def _matrix(file: h5py.File, path: Path, key: str) -> sparse.csr_array:
    """A dense or sparse MATLAB matrix, with the rows and columns that MATLAB shows, as float32."""
    node = file.get(key)
    if isinstance(node, h5py.Dataset) and node.ndim == 2:
        # MATLAB writes column by column, so that HDF5 shows the transpose.
        return sparse.csr_array(np.asarray(node).T.astype(np.float32))
    if isinstance(node, h5py.Group) and {"data", "ir", "jc"} <= set(node):
        data, ir, jc = (np.asarray(node[part]).ravel() for part in ("data", "ir", "jc"))
        rows = int(node.attrs.get("MATLAB_sparse", int(ir.max(initial=0)) + 1))
        return sparse.csc_array(
            (data.astype(np.float32), ir.astype(np.int64), jc.astype(np.int64)), shape=(rows, len(jc) - 1)
        ).tocsr()
    raise DataError(
        f"{path}: there is no matrix {key}",
        got=", ".join(file),
        allowed="M, Otraining, Otest and, if there, W_users, W_movies, W_tracks",
        remedy=_REMEDY,
    )
