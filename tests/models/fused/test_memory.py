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


def test_scratch_grows_and_does_not_shrink():
    sizes = Sizes(levels=5, labels=4, width=8, depth=3)
    first = make_scratch(sizes, 10, 20, 100)
    assert make_scratch(sizes, 10, 5, 100) is first
    second = make_scratch(sizes, 30, 5, 50)
    assert second.states.shape == (3, 50, 8)
    assert len(second.to_users.sender) == 101
    assert make_scratch(sizes, 30, 20, 100) is second
    other = make_scratch(sizes._replace(depth=1), 1, 1, 1)
    assert other.states.shape == (1, 2, 8)


def test_scratch_too_large_to_be_had_leaves_small_batches_theirs():
    sizes = Sizes(levels=5, labels=4, width=8, depth=3)
    make_scratch(sizes, 10, 20, 100)
    with pytest.raises((MemoryError, ValueError)):
        make_scratch(sizes, 2**55, 20, 100)
    assert make_scratch(sizes, 10, 20, 100).states.shape == (3, 30, 8)
