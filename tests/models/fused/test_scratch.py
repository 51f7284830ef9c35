from concurrent.futures import ThreadPoolExecutor

import pytest

from igmc.models.fused import scratch
from igmc.models.fused.parameters import Sizes


@pytest.fixture
def make_scratch():
    """On a new thread, which keeps nothing from other tests."""
    with ThreadPoolExecutor(1) as thread:
        yield lambda *sizes: thread.submit(scratch.make_scratch, *sizes).result()


def test_scratch_grows_and_does_not_shrink(make_scratch):
    sizes = Sizes(levels=5, labels=4, width=8, depth=3)
    first = make_scratch(sizes, 10, 20, 100)
    assert make_scratch(sizes, 10, 5, 100) is first
    second = make_scratch(sizes, 30, 5, 50)
    assert second.states.shape == (3, 50, 8)
    assert len(second.to_users.sender) == 101
    assert make_scratch(sizes, 30, 20, 100) is second
    other = make_scratch(sizes._replace(depth=1), 1, 1, 1)
    assert other.states.shape == (1, 2, 8)


def test_scratch_too_large_to_be_had_leaves_small_batches_theirs(make_scratch):
    sizes = Sizes(levels=5, labels=4, width=8, depth=3)
    make_scratch(sizes, 10, 20, 100)
    with pytest.raises((MemoryError, ValueError)):
        make_scratch(sizes, 2**55, 20, 100)
    assert make_scratch(sizes, 10, 20, 100).states.shape == (3, 30, 8)
