import h5py
import numpy as np
import pytest
from scipy import sparse

from igmc.config import DataConfig
from igmc.errors import DataError
from igmc.ratings.load import load_dataset
from igmc.ratings.readers.monti import MONTI_FILE, read_monti
from igmc.ratings.side_features import side_features
from igmc.ratings.split import make_split

M = np.array([[5, 0, 3, 0], [0, 1, 0, 0], [2, 0, 0, 4.0]])
TRAIN = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 1.0]])
TEST = (M > 0) - TRAIN
USERS = np.array([[0, 1, 0], [1, 0, 0.5], [0, 0, 0]])


def write(folder, sparse_keys=(), **matrices):
    """As MATLAB does: dense matrices column by column, sparse ones in compressed columns."""
    with h5py.File(folder / MONTI_FILE, "w") as file:
        for key, matrix in {"M": M, "Otraining": TRAIN, "Otest": TEST, **matrices}.items():
            if matrix is None:
                continue
            if key in sparse_keys:
                columns = sparse.csc_array(matrix)
                group = file.create_group(key)
                group.attrs["MATLAB_sparse"] = np.uint64(matrix.shape[0])
                if columns.nnz:
                    group["data"], group["ir"] = columns.data, columns.indices.astype(np.uint64)
                group["jc"] = columns.indptr.astype(np.uint64)
            else:
                file[key] = matrix.T
    return folder


@pytest.mark.parametrize("sparse_keys", [(), ("W_users",), ("M", "Otraining", "Otest", "W_users")])
def test_users_are_rows_and_items_columns(tmp_path, sparse_keys):
    data = read_monti(write(tmp_path, sparse_keys, W_users=USERS), "toy")
    table = data.table
    assert (table.users.ids, table.items.ids) == ((0, 1, 2), (0, 1, 2, 3))
    ratings = sparse.coo_array((table.rating, (table.user, table.item)), shape=M.shape).toarray()
    np.testing.assert_array_equal(ratings, M)
    train, test = data.splits["monti"]
    for rows, mask in ((train, TRAIN), (test, TEST)):
        found = np.zeros_like(M)
        found[table.user[rows], table.item[rows]] = 1
        np.testing.assert_array_equal(found, mask)
    np.testing.assert_array_equal(data.user_graph.toarray(), USERS)
    users, items = side_features(data)
    np.testing.assert_array_equal(users, USERS.astype(np.float32))
    assert (users.dtype, items.shape) == (np.float32, (4, 0))


@pytest.mark.parametrize("key", ["W_movies", "W_tracks"])
def test_item_graphs(tmp_path, key):
    graph = np.eye(4)
    data = read_monti(write(tmp_path, **{key: graph}), "toy")
    np.testing.assert_array_equal(data.item_graph.toarray(), graph)
    assert data.user_graph is None


def test_no_graphs(tmp_path):
    data = read_monti(write(tmp_path), "toy")
    with pytest.raises(
        DataError, match=r"the data set toy has no side features.*train without --side-features"
    ):
        side_features(data)


@pytest.mark.parametrize(
    ("matrices", "match"),
    [
        ({"Otest": None}, "there is no matrix Otest; got 'M, Otraining'"),
        ({"Otest": TEST.T}, "M, Otraining and Otest differ in shape"),
        ({"Otest": TEST + TRAIN}, "Otraining and Otest share a rating"),
        (
            {"Otest": TEST * 0},
            "the ratings of M are not those of Otraining and Otest together; got '5 ratings, 4 in",
        ),
        ({"W_users": np.eye(4)}, r"side graph of users has the wrong shape; got \(4, 4\); allowed: 3 x 3"),
        (
            {"M": M * 2},
            r"rating of user 0 for item 0 is outside the scale; got 10\.0; allowed: 1\.\.5 in steps of 1",
        ),
    ],
)
def test_matrices_that_do_not_fit(tmp_path, matrices, match):
    with pytest.raises(DataError, match=match):
        read_monti(write(tmp_path, **matrices), "douban")


def test_missing_and_damaged_files(tmp_path):
    with pytest.raises(DataError, match=rf"there is no file .*{MONTI_FILE}"):
        read_monti(tmp_path, "toy")
    path = write(tmp_path) / MONTI_FILE
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(DataError, match=r"cannot be read .*allowed: a MATLAB 7.3 file"):
        read_monti(tmp_path, "toy")


@pytest.mark.parametrize(
    ("name", "train", "test", "levels", "widths"),
    [
        ("flixster", 23_556, 2_617, 10, (3000, 3000)),
        ("douban", 123_202, 13_689, 5, (3000, 0)),
        ("yahoo_music", 4_802, 533, 69, (0, 3000)),
    ],
)
def test_real_data(data_root, name, train, test, levels, widths):
    data = load_dataset(name, data_dir=data_root)
    assert (len(data.table.users), len(data.table.items)) == (3000, 3000)
    made = make_split(data, DataConfig(), 1)
    assert (made.name, len(made.train) + len(made.validation), len(made.test)) == ("monti", train, test)
    assert len(made.scale) == levels
    assert made.scale.high == {"yahoo_music": 100}.get(name, 5)
    assert tuple(side.shape[1] for side in side_features(data)) == widths
