"""The generator draws ratings from the distribution that it states."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from igmc.ratings.demo.generator import GENRES, NOISE, OCCUPATIONS, World, draw_ratings, make_world


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


def lone_world(kindness: float, quality: float, user_taste: list[float], item_taste: list[float]) -> World:
    """One user and one item."""
    return World(
        kindness=np.array([kindness]),
        quality=np.array([quality]),
        user_taste=np.array([user_taste]),
        item_taste=np.array([item_taste]),
        occupation=np.zeros(1, np.int64),
        genres=np.zeros((1, 2), np.int64),
    )


ONE = np.zeros(1, np.int32)


def test_known_answers() -> None:
    liked = lone_world(0.5, -0.25, [0.6, 0.8], [1.0, 0.0])
    assert liked.mean(ONE, ONE)[0] == pytest.approx(3.3 + 0.5 - 0.25 + 1.15 * 0.6)
    plain = lone_world(-0.3, 0.0, [1.0, 0.0], [0.0, 1.0])
    assert plain.mean(ONE, ONE)[0] == pytest.approx(3.0)
    assert plain.expected(ONE, ONE)[0] == pytest.approx(3.0), "the scale is even on both sides of 3"


@given(st.floats(-20, 20), st.floats(-20, 20))
def test_what_is_expected_lies_on_the_scale_and_grows_with_the_mean(one: float, two: float) -> None:
    low, high = sorted((one, two))
    expected = [lone_world(k, 0.0, [0.0, 0.0], [0.0, 0.0]).expected(ONE, ONE)[0] for k in (low, high)]
    assert 1 <= expected[0] <= expected[1] <= 5


def test_a_world_depends_on_its_seed_and_nothing_else() -> None:
    worlds = [make_world(seed, 40, 30) for seed in (1, 1, 2)]
    same, other = (
        [np.array_equal(a, b) for a, b in zip(vars(worlds[0]).values(), vars(w).values(), strict=True)]
        for w in worlds[1:]
    )
    assert all(same)
    assert not any(other)
    assert worlds[0].occupation.max() < len(OCCUPATIONS)
    assert worlds[0].genres.max() < len(GENRES)


@settings(max_examples=40)
@given(
    n_users=st.integers(1, 40),
    n_items=st.integers(1, 40),
    share=st.floats(0, 1),
    least=st.integers(0, 30),
    tail=st.floats(0, 3),
)
def test_every_user_has_the_least_number_where_there_are_enough(
    n_users: int, n_items: int, share: float, least: int, tail: float
) -> None:
    n_ratings = max(1, int(share * n_users * n_items))
    world = make_world(3, n_users, n_items)
    user, item, level = draw_ratings(world, 3, n_ratings, user_tail=tail, item_tail=tail, least=least)
    activity = np.bincount(user, minlength=n_users)
    assert (activity.sum(), level.max() <= 4) == (n_ratings, True)
    assert activity.min() >= min(least, n_items, n_ratings // n_users)
    assert activity.max() <= n_items
    assert len(np.unique(np.stack([user, item]), axis=1).T) == n_ratings, "no pair twice"


def test_a_longer_tail_makes_a_few_users_and_items_more_prominent() -> None:
    world = make_world(1, 400, 300)
    for side, options in enumerate(
        ({"user_tail": 1.2, "item_tail": 0.5}, {"user_tail": 0.5, "item_tail": 1.2})
    ):
        short = draw_ratings(world, 1, 8_000, user_tail=0.5, item_tail=0.5, least=1)[side]
        long = draw_ratings(world, 1, 8_000, **options, least=1)[side]
        assert np.bincount(long).max() > 1.3 * np.bincount(short).max()
