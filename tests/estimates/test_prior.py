"""The regression of the full implicit term on that of few ratings, against draws of few."""

import dataclasses

import numpy as np
import pytest

from igmc.estimates.lanes import from_lanes
from igmc.estimates.prior import place_in, prior_table, stranger
from igmc.estimates.rating_rows import rows_of
from igmc.estimates.sampler import SideDraw
from igmc.ratings import RowFeatures


def profiles(seed=0, *, users=400, items=30, width=3):
    """A draw of users, and how they rate: each of two kinds prefers one half of the items."""
    rng = np.random.default_rng(seed)
    share = np.where((np.arange(users)[:, None] % 2) == (np.arange(items) // 15), 0.7, 0.2)
    rated = rng.random((users, items)) < share
    user, item = (a.astype(np.int32) for a in np.nonzero(rated))
    root = rng.normal(size=(width, width))
    precision = root @ root.T + np.eye(width)
    links = rng.normal(size=(items, width)).astype(np.float32)
    draw = SideDraw(np.zeros((users, width), np.float32), rng.normal(size=width), precision, links)
    return draw, rated, rows_of(user, item, np.ones(len(user)), users)


@pytest.mark.parametrize("by_ratings", [False, True])
def test_priors_at_few_ratings_are_the_regression_on_random_subsets(by_ratings):
    draw, rated, ratings = profiles()
    table = prior_table([draw], ratings, by_ratings)
    k, place = 3, table.counts.tolist().index(3)
    rng, full, few, weight = np.random.default_rng(1), [], [], []
    for row in rated:
        near = np.flatnonzero(row)
        if len(near) < 2 * k:
            continue
        for _ in range(150):
            full.append(draw.links[near].sum(axis=0) / np.sqrt(len(near)))
            few.append(draw.links[rng.permutation(near)[:k]].sum(axis=0) / np.sqrt(k))
            weight.append(len(near) - k if by_ratings else 1)
    full, few, weight = np.array(full), np.array(few), np.array(weight) / np.sum(weight)
    z, s = full - weight @ full, few - weight @ few
    slope = np.linalg.solve((s.T * weight) @ s, (s.T * weight) @ z).T
    left = z - s @ slope.T
    covariance = np.linalg.inv(draw.precision) + (left.T * weight) @ left
    found = [from_lanes(part[place], 1)[0] for part in (table.precision, table.offset, table.slope)]
    np.testing.assert_allclose(found[2], slope, atol=0.06)
    np.testing.assert_allclose(found[1], draw.mean + weight @ full - slope @ (weight @ few), atol=0.06)
    np.testing.assert_allclose(np.linalg.inv(found[0]), covariance, atol=0.06)


def test_with_all_that_was_rated_the_full_term_holds():
    draw, _, ratings = profiles()
    table = prior_table([draw], ratings, False)
    places, shares = place_in(table, np.array([4, 4]), np.array([False, True]))
    assert table.counts[places[0]] == 3
    assert shares[0] == 0.5
    np.testing.assert_allclose(from_lanes(table.slope[places[1]], 1)[0], np.eye(3))
    np.testing.assert_allclose(from_lanes(table.precision[places[1]], 1)[0], draw.precision, rtol=1e-6)
    assert shares[1] == 0


def test_more_ratings_than_anybody_has_have_the_last_prior_but_that():
    draw, _, ratings = profiles()
    table = prior_table([draw], ratings, False)
    places, shares = place_in(table, np.array([10**6]), np.array([False]))
    assert places[0] == len(table.counts) - 1
    assert shares[0] == 0
    np.testing.assert_allclose(from_lanes(table.slope[places[0]], 1)[0], np.eye(3))


def test_of_a_stranger_the_average_term_is_expected():
    draw, rated, ratings = profiles()
    terms = (rated @ draw.links) / np.sqrt(rated.sum(axis=1))[:, None]
    np.testing.assert_allclose(
        from_lanes(stranger([draw], ratings), 1)[0], draw.mean + terms.mean(axis=0), rtol=1e-4
    )


def test_without_implicit_terms_priors_do_not_depend_on_ratings():
    draw, _, ratings = profiles()
    draw = SideDraw(draw.vectors, draw.mean, draw.precision, None)
    table = prior_table([draw], ratings, True)
    assert np.all(table.precision == table.precision[0])
    assert np.all(table.offset == table.offset[0])
    assert table.slope.size == 0


def test_without_ratings_side_information_tells_of_the_implicit_term():
    draw, rated, ratings = profiles()
    kind = np.where(np.arange(400) % 2 == 0, -0.5, 0.5)[:, None].astype(np.float32)
    told = dataclasses.replace(draw, effects=np.zeros((1, 3)), shrink=np.full(1, 1e-3))
    other = dataclasses.replace(draw, vectors=np.zeros((30, 3), np.float32))
    table = prior_table([told], ratings, False, RowFeatures(kind, np.zeros(1, int)), [other])
    terms = (rated @ draw.links) / np.sqrt(rated.sum(axis=1))[:, None]
    between = terms[1::2].mean(axis=0) - terms[::2].mean(axis=0)
    np.testing.assert_allclose(from_lanes(table.effects[0], 1)[0, 0], between, atol=0.05)
    blind = prior_table([draw], ratings, False)
    surer = [np.linalg.inv(from_lanes(one.precision[0], 1)[0]).trace() for one in (table, blind)]
    assert surer[0] < 0.9 * surer[1]
    assert not from_lanes(table.effects[-1], 1).any(), "of rows that show all, the term itself is known"
