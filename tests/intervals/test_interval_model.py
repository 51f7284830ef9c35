"""Intervals hold as often as asked where residuals differ in size, in each group, at any coverage."""

import itertools

import numpy as np
import pytest

from igmc.intervals.interval_model import MEANS, IntervalModel, group_of, group_of_mean

NO_MEANS = {name: np.linspace(0, 2, 400, dtype=np.float32) for name in MEANS}


def drawn(n, seed):
    """Heteroscedastic pairs: what is not read off the inputs is wider for users with few ratings."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(n, 2)).astype(np.float32)
    n_user = rng.choice([0, 1, 2, 4, 8, 40, 300], n)
    n_item = rng.choice([5, 50, 500], n)
    scale = np.exp(inputs[:, 0]) * np.where(n_user < 3, 2.0, 1.0) * np.where(n_item == 5, 1.5, 1.0)
    return inputs, (scale * rng.laplace(size=n)).astype(np.float32), n_user, n_item


MODEL = IntervalModel.fit(*drawn(20_000, 1), NO_MEANS)
NEW = drawn(20_000, 2)


def covered(coverage, model=MODEL, new=NEW):
    inputs, residual, n_user, n_item = new
    spread = model.spread(inputs, n_user, n_item, 1.0)
    return np.abs(residual) <= model.half_width(spread, coverage)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95])
def test_as_many_ratings_are_inside_as_asked_overall_and_in_each_group(coverage):
    inside = covered(coverage)
    assert inside.mean() == pytest.approx(coverage, abs=0.01)
    groups = group_of(*NEW[2:])
    assert len(set(groups.tolist())) == 7
    for group in set(groups.tolist()):
        assert inside[groups == group].mean() == pytest.approx(coverage, abs=0.04), group


def test_intervals_are_wide_where_residuals_are_large():
    inputs, residual, n_user, n_item = NEW
    width = MODEL.half_width(MODEL.spread(inputs, n_user, n_item, 1.0), 0.9)
    inside = np.abs(residual) <= width
    for low, high in ((-3, -1), (-0.2, 0.2), (1, 3)):
        here = (inputs[:, 0] > low) & (inputs[:, 0] < high)
        assert inside[here].mean() == pytest.approx(0.9, abs=0.03)
    assert np.median(width[inputs[:, 0] > 1]) > 4 * np.median(width[inputs[:, 0] < -1])


def test_they_grow_with_the_coverage_and_with_the_unit():
    inputs, _, n_user, n_item = (column[:200] for column in NEW)
    spread = MODEL.spread(inputs, n_user, n_item, 1.0)
    widths = [MODEL.half_width(spread, coverage) for coverage in (0.1, 0.5, 0.8, 0.9, 0.99)]
    assert all((one < other).all() for one, other in itertools.pairwise(widths))
    twice = MODEL.half_width(MODEL.spread(inputs, n_user, n_item, 2.0), 0.9)
    np.testing.assert_allclose(twice, 2 * widths[3], rtol=1e-5)


def test_a_small_group_is_calibrated_with_all_others():
    inputs, residual, n_user, n_item = drawn(3000, 3)
    n_user = np.where(n_user == 0, 40, n_user)
    n_user[:50] = 0  # too few to say anything alone
    residual[:50] *= 100
    model = IntervalModel.fit(inputs, residual, n_user, n_item, NO_MEANS)
    one = np.zeros((1, 2), np.float32)
    widths = [float(model.half_width(model.spread(one, [n], [50], 1.0), 0.9)[0]) for n in (0, 40)]
    assert widths[0] < 10 * widths[1]


def test_without_enough_residuals_nothing_is_promised():
    few = [column[:8] for column in NEW]
    model = IntervalModel.fit(*few, NO_MEANS)
    assert np.isinf(model.half_width(model.spread(*few[:1], *few[2:], 1.0), 0.9)).all()


def test_pairs_without_a_neighbourhood_have_the_residuals_of_means():
    spread = MODEL.spread(NEW[0][:3], [0] * 3, [0] * 3, 1.0)
    spread.scale[:] = 1.0
    spread.group[:] = [group_of_mean(name) for name in MEANS]
    assert MODEL.half_width(spread, 0.9).tolist() == pytest.approx([1.81] * 3, abs=0.01)


def test_the_state_brings_it_back_to_the_bit():
    again = IntervalModel.from_state(MODEL.state())
    spread = again.spread(NEW[0], NEW[2], NEW[3], 1.3)
    expected = MODEL.half_width(MODEL.spread(NEW[0], NEW[2], NEW[3], 1.3), 0.9)
    np.testing.assert_array_equal(again.half_width(spread, 0.9), expected)
