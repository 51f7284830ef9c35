import threading

import numpy as np

from igmc.estimates.rating_rows import PARTS, in_threads, padded, parts_of, rows_of, weights_of


def test_rows_are_ascending_and_keep_ratings_of_zero():
    row, column = np.array([1, 0, 1], np.int32), np.array([2, 1, 0], np.int32)
    found = rows_of(row, column, [5.0, 0.0, 3.0], 3)
    assert found.ptr.tolist() == [0, 1, 3, 3]
    assert found.near.tolist() == [1, 0, 2]
    assert found.target.tolist() == [0, 3, 5]
    assert weights_of(found.ptr).tolist() == [1, np.float32(2**-0.5), 0]


def test_rows_are_padded_to_whole_registers():
    assert padded(np.ones((2, 9)), 9).shape == (2, 16)
    assert padded(np.ones((2, 8)), 8).shape == (2, 8)


def test_parts_are_all_rows_once():
    for counts in ([3], [0, 0, 0], [1000, *[1] * 50], list(range(100))):
        parts = parts_of(np.append(0, np.cumsum(counts)))
        assert len(parts) <= PARTS
        assert [k for part in parts for k in range(*part)] == list(range(len(counts)))


def test_results_come_in_order_from_more_than_one_thread():
    together = threading.Barrier(2, timeout=30)

    def work(k):
        together.wait()
        return k

    assert in_threads(2, work, [(k,) for k in range(6)]) == list(range(6))
