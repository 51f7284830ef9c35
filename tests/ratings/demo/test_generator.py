"""The generator draws ratings from the distribution that it states."""

import numpy as np
import pytest
from scipy.special import ndtr

from igmc.ratings.demo.generator import NOISE, World, draw_ratings, make_world


def test_noise_floor_is_that_of_the_distribution() -> None:
    """The ratings have the mean and variance that the generator states for them."""
    world = make_world(1, 300, 250)
    user, item, level = draw_ratings(world, 1, 60_000, user_tail=0.7, item_tail=0.9, least=8)
    expected = world.expected(user, item)
    stars = np.arange(1.0, 6.0)[:, None]
    borders = np.array([-np.inf, 1.5, 2.5, 3.5, 4.5, np.inf])[:, None]
    mass = np.diff(ndtr((borders - world.mean(user, item)) / NOISE), axis=0)  # [5, n]
    np.testing.assert_allclose(expected, (stars * mass).sum(axis=0), rtol=1e-12)
    variance = ((stars - expected) ** 2 * mass).sum(axis=0)
    error = level + 1.0 - expected
    assert np.mean(error**2) == pytest.approx(variance.mean(), rel=0.02)
    for low in range(1, 5):  # unbiased wherever it is looked at, not only on the whole
        here = (expected >= low) & (expected < low + 1)
        assert abs(error[here].mean()) < 4 * np.sqrt(variance[here].sum()) / here.sum()


def test_world_ties_tastes_to_genres_and_occupations() -> None:
    """Users of one occupation agree more than others, and so do items of one genre."""
    world: World = make_world(1, 2_000, 2_000)
    for tastes, kind in ((world.user_taste, world.occupation), (world.item_taste, world.genres[:, 0])):
        unit = tastes / np.linalg.norm(tastes, axis=1, keepdims=True)
        agreement, same = unit @ unit.T, kind[:, None] == kind[None, :]
        assert agreement[same].mean() > agreement[~same].mean() + 0.1
