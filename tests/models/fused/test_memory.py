from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from igmc.models.fused.memory import HUGE_PAGE, HugePages, last_kept


def test_arrays_side_by_side():
    pages = HugePages()
    shapes = [((3, 5), np.float32), (7, np.uint8), ((0, 4), np.float32), (HUGE_PAGE, np.int32), (2, np.int64)]
    arrays = [pages.empty(shape, dtype) for shape, dtype in shapes]
    for k, (array, (shape, dtype)) in enumerate(zip(arrays, shapes, strict=True)):
        assert array.shape == (shape if isinstance(shape, tuple) else (shape,))
        assert array.dtype == dtype
        assert array.flags.c_contiguous
        assert array.flags.writeable
        array.fill(k)
    assert all((array == k).all() for k, array in enumerate(arrays))


def test_arrays_begin_where_a_cache_line_does_and_the_first_where_a_huge_page_does():
    pages = HugePages()
    addresses = [pages.empty(size, np.uint8).ctypes.data for size in (100, 1, 64, 65)]
    assert np.diff(addresses).tolist() == [128, 64, 64]
    assert addresses[0] % HUGE_PAGE == 0


def test_last_kept_makes_anew_for_other_arguments_alone():
    made = []

    @last_kept
    def make(size: int) -> object:
        made.append(size)
        return object()

    first = make(1)
    assert make(1) is first
    assert make(2) is not first
    assert make(1) is not first
    assert made == [1, 2, 1]


def test_last_kept_gives_each_thread_its_own():
    make = last_kept(lambda: object())
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(make).result() is not make()


def test_last_kept_forgets_what_was_there_before_a_failure():
    made = []

    @last_kept
    def make(size: int) -> float:
        made.append(size)
        return 1 / size

    make(1)
    with pytest.raises(ZeroDivisionError):
        make(0)
    make(1)
    assert made == [1, 0, 1]
