import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from igmc.errors import ConfigError, DataError
from igmc.evaluation.metrics.errors import rmse
from igmc.evaluation.metrics.intervals import (
    Comparison,
    Interval,
    bootstrap_interval,
    paired_test,
    sums_interval,
)

VALUES = st.lists(st.integers(0, 20), min_size=2, max_size=12)


def clustered(generator, users=60, *, spread=1.0):
    """Errors whose users differ in size and in the number of their pairs: (user, squared error)."""
    pairs = generator.integers(1, 30, users)
    user = np.repeat(np.arange(users), pairs)
    size = np.exp(spread * generator.normal(size=users))[user]
    return user, (size * generator.normal(size=len(user))) ** 2


def test_the_value_is_the_figure_itself():
    predicted, true, user = np.array([1.0, 2, 4, 4]), np.array([1.0, 4, 1, 2]), [0, 1, 1, 2]
    squared = (predicted - true) ** 2
    assert bootstrap_interval(squared, user, seed=1, root=True).value == pytest.approx(rmse(predicted, true))
    assert bootstrap_interval([1, 2, 6], seed=1).value == 3
    assert paired_test([1, 2, 6], [1, 1, 1], seed=1).difference == 2
    found = paired_test([4, 4, 4], [1, 1, 1], [0, 1, 1], seed=1, root=True)
    assert (found.difference, found.low, found.high) == (1, 1, 1)


def test_equal_values_leave_nothing_to_doubt():
    assert bootstrap_interval([0.1] * 7, seed=1) == Interval(*[pytest.approx(0.1, rel=1e-15)] * 3)
    found = paired_test([0.3, 0.7, 0.1], [0.3, 0.7, 0.1], seed=1)
    assert found == Comparison(0.0, 0.0, 0.0, p_value=1.0)


@pytest.mark.parametrize("root", [False, True])
def test_the_interval_equals_that_of_an_independent_library(root):
    generator = np.random.default_rng(4)
    values = generator.exponential(size=40) ** 2  # so skewed that BCa and percentile bounds differ
    ours = bootstrap_interval(values, seed=1, root=root, resamples=50_000)

    def figure(sample, axis=-1):
        mean = sample.mean(axis=axis)
        return np.sqrt(mean) if root else mean

    def theirs(method):
        found = stats.bootstrap((values,), figure, n_resamples=50_000, method=method, rng=generator)
        return found.confidence_interval

    assert (ours.low, ours.high) == pytest.approx(tuple(theirs("BCa")), rel=0.015)
    assert ours.high != pytest.approx(theirs("percentile").high, rel=0.03)


def test_intervals_of_users_hold_the_truth_as_often_as_they_say():
    generator, held = np.random.default_rng(5), 0
    for number in range(400):
        found = bootstrap_interval(generator.beta(2, 5, 100), seed=number, resamples=400, confidence=0.9)
        held += found.low <= 2 / 7 <= found.high
    assert 0.87 <= held / 400 <= 0.93  # two standard errors


def test_pairs_of_one_user_are_drawn_together():
    generator = np.random.default_rng(6)
    truth = np.sqrt(np.exp(2 * 0.3**2))  # E exp(2 * 0.3 z), z standard normal
    held = {"by user": 0, "by pair": 0}
    for number in range(150):
        user, squared = clustered(generator, 100, spread=0.3)
        for name, groups in (("by user", user), ("by pair", None)):
            found = bootstrap_interval(squared, groups, seed=number, root=True, resamples=200)
            held[name] += found.low <= truth <= found.high
    # 1,500 such draws gave 0.923 and 0.695; the bounds leave three standard errors for 150.
    assert 0.86 <= held["by user"] / 150 <= 0.99
    assert held["by pair"] / 150 < 0.82, "as if the pairs of a user were independent"


def test_intervals_narrow_with_users_and_widen_with_confidence():
    generator = np.random.default_rng(7)

    def width(users, confidence):
        found = bootstrap_interval(generator.normal(size=users), seed=1, confidence=confidence)
        return found.high - found.low

    assert width(1600, 0.95) == pytest.approx(2 * 1.96 / 40, rel=0.1)
    assert width(100, 0.95) == pytest.approx(2 * 1.96 / 10, rel=0.2)
    assert width(1600, 0.99) == pytest.approx(2 * 2.576 / 40, rel=0.15)


@given(VALUES, st.integers(0, 3))
def test_draws_are_a_function_of_the_seed_and_bounds_are_in_order(values, seed):
    found = bootstrap_interval(values, seed=seed, resamples=100)
    assert found == bootstrap_interval(values, seed=seed, resamples=100)
    slack = 1e-9
    assert min(values) - slack <= found.low <= found.high <= max(values) + slack


def test_another_seed_draws_other_users():
    values = np.random.default_rng(8).normal(size=50)
    assert bootstrap_interval(values, seed=1) != bootstrap_interval(values, seed=2)
    first, second = (paired_test(values, np.zeros(50), seed=seed) for seed in (1, 2))
    assert first.p_value != second.p_value


def test_drawing_in_blocks_changes_nothing(monkeypatch):
    first, second = np.random.default_rng(9).normal([[0.03], [0]], 1, (2, 3000))
    whole = paired_test(first, second, seed=1, resamples=300, flips=2000)
    monkeypatch.setattr("igmc.evaluation.metrics.intervals._DRAWN_AT_ONCE", 20_000)
    parts = paired_test(first, second, seed=1, resamples=300, flips=2000)
    assert (parts.low, parts.high) == (whole.low, whole.high)
    assert parts.p_value == pytest.approx(whole.p_value, abs=0.04)  # of other draws


# The paired test


def exact_p(differences):
    """Two-sided p-value over all 2^U signs."""
    total = abs(sum(differences))
    sums = [abs(np.dot(signs, differences)) for signs in itertools.product((-1, 1), repeat=len(differences))]
    return np.mean(np.array(sums) >= total - 1e-9)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=9))
def test_the_p_value_is_that_of_all_signs(rows):
    first, second = np.array(rows, float).T / 7
    found = paired_test(first, second, seed=1, resamples=100)
    assert found.p_value == pytest.approx(exact_p(first - second), abs=0.025)


def test_the_p_value_equals_that_of_an_independent_library():
    generator = np.random.default_rng(10)
    first, second = generator.normal(0.3, 1, 14), generator.normal(0, 1, 14)
    expected = stats.permutation_test(
        (first, second), lambda x, y: np.mean(x - y), permutation_type="samples", vectorized=False
    )
    found = paired_test(first, second, seed=1, flips=50_000)
    assert found.difference == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue, abs=0.01)


def test_root_means_are_compared_by_swapping_whole_users():
    generator = np.random.default_rng(11)
    user, first = clustered(generator, 8)
    second = first * np.exp(0.4 * generator.normal(size=8))[user]
    sums = np.stack([np.bincount(user, first), np.bincount(user, second)])
    found = []
    for swapped in itertools.product((False, True), repeat=8):
        a, b = np.where(swapped, sums[::-1], sums).sum(axis=1)
        found.append(abs(np.sqrt(a / len(user)) - np.sqrt(b / len(user))))
    expected = np.mean(np.array(found) >= found[0] - 1e-12)
    result = paired_test(first, second, user, seed=1, root=True, flips=20_000)
    assert abs(result.difference) == pytest.approx(found[0])
    assert result.p_value == pytest.approx(expected, abs=0.015)


@pytest.mark.parametrize("root", [False, True])
def test_the_other_way_round_all_is_the_same_but_for_the_sign(root):
    user, first = clustered(np.random.default_rng(12))
    second = first * 1.1 + 0.05
    one, other = (paired_test(*pair, user, seed=1, root=root) for pair in ((first, second), (second, first)))
    assert one.p_value == other.p_value
    assert (one.difference, one.low, one.high) == pytest.approx((-other.difference, -other.high, -other.low))
    assert one.low < one.difference < one.high < 0


def test_p_values_are_uniform_where_the_models_are_alike():
    generator = np.random.default_rng(13)
    found = []
    for number in range(300):
        user, first = clustered(generator, 40)
        second = generator.permutation(first)  # another model, as good, with errors of its own
        second = np.where(generator.random(40)[user] < 0.5, second, first)
        swap = generator.random(40)[user] < 0.5
        first, second = np.where(swap, second, first), np.where(swap, first, second)
        found.append(paired_test(first, second, user, seed=number, resamples=100, flips=400).p_value)
    assert stats.kstest(found, "uniform").pvalue > 0.01
    assert 0.02 <= np.mean(np.array(found) <= 0.05) <= 0.08


def test_a_clear_difference_is_found_and_its_interval_leaves_zero_out():
    user, first = clustered(np.random.default_rng(14), 200)
    found = paired_test(first, first * 0.8, user, seed=1, root=True, flips=999)
    assert found.p_value == 1 / 1000
    assert 0 < found.low < found.difference < found.high


# What is refused


def paired(values, **settings):
    return paired_test(values, values, **settings)


@pytest.mark.parametrize("call", [bootstrap_interval, paired])
def test_bad_values_and_settings_are_refused(call):
    with pytest.raises(
        DataError, match=r"the values are not a list; got \(1, 2\); allowed: one number per user"
    ):
        call([[1, 2]], seed=1)
    for bad in (np.nan, np.inf):
        with pytest.raises(DataError, match="a value is not a finite number"):
            call([1, bad], seed=1)
    with pytest.raises(DataError, match=r"negative values has no root; got -1\.0; hint: give squared"):
        call([4, -1], seed=1, root=True)
    for values, user in (([1], None), ([], None), ([1, 2], [3, 3])):
        with pytest.raises(DataError, match=r"too few users to draw from; got .; allowed: at least 2"):
            call(values, user=user, seed=1)
    with pytest.raises(DataError, match="differ in shape"):
        call([1, 2], user=[1], seed=1)
    with pytest.raises(DataError, match="not whole numbers"):
        call([1, 2], user=[0, -1], seed=1)
    with pytest.raises(ConfigError, match="too few resamples; got 99; allowed: at least 100"):
        call([1, 2], seed=1, resamples=99)
    for bad in (0, 1, 95):
        with pytest.raises(ConfigError, match=r"confidence is out of range; got .*; allowed: above 0 and"):
            call([1, 2], seed=1, confidence=bad)


def test_models_that_cannot_be_paired_are_refused():
    with pytest.raises(DataError, match="different numbers of values; got '2 and 3'"):
        paired_test([1, 2], [1, 2, 3], seed=1)
    with pytest.raises(ConfigError, match="too few flips; got 10; allowed: at least 100"):
        paired_test([1, 2], [1, 2], seed=1, flips=10)


def test_a_figure_of_sums_has_the_interval_of_its_pairs():
    user, squared = clustered(np.random.default_rng(1))
    sums = np.stack([np.bincount(user, squared), np.bincount(user)])
    found = sums_interval(sums, lambda totals: np.sqrt(totals[0] / totals[1]), seed=3)
    assert found == bootstrap_interval(squared, user, seed=3, root=True)


@pytest.mark.parametrize("sums", [[[1.0]], [[1.0, np.inf]], [[[1.0, 2.0]]]])
def test_sums_that_are_none_are_refused(sums):
    with pytest.raises(DataError):
        sums_interval(sums, lambda totals: totals[0], seed=1)
