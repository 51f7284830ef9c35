"""The counter hash is SplitMix64, the same in Python, NumPy and Numba; streams are named and independent."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.rng import below, fold, mix64, pair_key, stream

MASK = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15
words = st.integers(0, MASK)


def mix64_in_python(x: int) -> int:
    """Steele, Lea & Flood's finalizer in Python's own integers."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


@numba.njit
def mix64_in_numba(x):
    return mix64(x)


@numba.njit
def pair_key_in_numba(seed, epoch, user, item):
    return pair_key(seed, epoch, user, item)


@numba.njit
def below_in_numba(key, counter, bound):
    return below(key, counter, bound)


def test_known_answers_of_splitmix64():
    # The first outputs of the generator's reference C code (Vigna, splitmix64.c) from state 1234567.
    expected = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    states = [(1234567 + (k + 1) * GOLDEN) & MASK for k in range(5)]
    assert [mix64_in_python(state) for state in states] == expected
    assert mix64(np.array(states, dtype=np.uint64)).tolist() == expected


def test_fold_walks_the_same_sequence():
    key = np.uint64(1234567)
    first_draws = fold(key, np.arange(3, dtype=np.uint64))
    assert first_draws.tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@given(st.lists(words, min_size=1, max_size=20))
def test_arrays_equal_python_integers_and_numba(values):
    array = np.array(values, dtype=np.uint64)
    expected = [mix64_in_python(value) for value in values]
    assert mix64(array).tolist() == expected
    assert [int(mix64_in_numba(value)) for value in array] == expected


@given(words, words, words, words)
def test_pair_key_is_equal_in_numpy_and_numba_and_as_written_down(seed, epoch, user, item):
    key = mix64_in_python(seed)
    for value in (epoch, user, item):
        key = mix64_in_python((key + (value + 1) * GOLDEN) & MASK)
    arguments = [np.array([value], dtype=np.uint64) for value in (seed, epoch, user, item)]
    assert int(pair_key(*arguments)[0]) == key
    assert int(pair_key_in_numba(*(a[0] for a in arguments))) == key


@given(words, words, st.integers(1, 2**40))
def test_below_stays_below_and_is_equal_in_numba(key, counter, bound):
    arguments = [np.array([value], dtype=np.uint64) for value in (key, counter, bound)]
    number = int(below(*arguments)[0])
    assert 0 <= number < bound
    assert int(below_in_numba(*(a[0] for a in arguments))) == number


@pytest.mark.parametrize("changed", range(4))
def test_every_part_of_a_pair_key_matters(changed):
    one = [np.array([7], dtype=np.uint64) for _ in range(4)]
    other = list(one)
    other[changed] = np.array([8], dtype=np.uint64)
    assert int(pair_key(*one)[0]) != int(pair_key(*other)[0])


def test_below_is_spread_evenly():
    counters = np.arange(60_000, dtype=np.uint64)
    counts = np.bincount(below(np.uint64(5), counters, np.uint64(6)).astype(np.int64), minlength=6)
    assert np.abs(counts - 10_000).max() < 500  # five standard deviations


def test_streams_repeat_and_differ_by_seed_and_by_name():
    def draw(seed, *names):
        return stream(seed, *names).integers(2**62)

    assert draw(1, "split") == draw(1, "split")
    calls = [(1, "split"), (2, "split"), (1, "init"), (1, "split", 0), (1, "split", 1), (1, "split", 1, 0)]
    assert len({draw(*call) for call in calls}) == len(calls)


def test_streams_leave_the_global_generator_alone():
    np.random.seed(3)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    stream(9, "anything").random(100)
    assert np.random.random() == expected  # noqa: NPY002
