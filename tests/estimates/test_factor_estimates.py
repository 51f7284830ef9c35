"""Estimates as their callers see them."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from igmc import threads
from igmc.errors import DataError
from igmc.estimates import FactorEstimates, Sampler
from igmc.estimates.lanes import from_lanes
from igmc.ratings import RowFeatures, SideInformation
from igmc.recommenders.registry import make_recommender
from tests.estimates.planted import SETTINGS, SIZES, described_ratings, fitted, planted_ratings
from tests.recommenders.boards import data_of, ratings

USER, ITEM, RATING = planted_ratings()
PAIRS = tuple(a.ravel().astype(np.int32) for a in np.indices((95, 63)))
BOTH = pytest.mark.parametrize("implicit", [False, True])


def assert_equal(one, other, **tolerance):
    for left, right in zip(one.features(*PAIRS), other.features(*PAIRS), strict=True):
        assert left.dtype == np.float32
        np.testing.assert_allclose(left, right, **(tolerance or {"rtol": 0}))


@BOTH
def test_hidden_ratings_are_found_within_the_deviations_stated(implicit):
    hidden = np.random.default_rng(1).random(len(USER)) < 0.2
    estimates = fitted(~hidden, implicit=implicit, burn_in=40, draws=20)
    mean, deviation = estimates.features(USER[hidden], ITEM[hidden])
    error = mean - RATING[hidden]
    assert np.sqrt(np.mean(error**2)) < 0.37  # the noise is 0.3
    assert np.mean(error**2 / (deviation**2 + 0.09)) == pytest.approx(1, abs=0.15)


@BOTH
def test_threads_change_nothing_and_seeds_do(implicit):
    one = fitted(implicit=implicit)
    assert_equal(one, fitted(implicit=implicit, threads=3))
    assert not np.array_equal(one.features(*PAIRS)[0], fitted(implicit=implicit, seed=2).features(*PAIRS)[0])
    folded = [one.fold_in(USER, ITEM, RATING, items=ITEM, threads=threads) for threads in (1, 3)]
    assert_equal(*folded)


def test_blas_has_one_thread_while_draws_are_made(monkeypatch):
    calls, sweep = [], Sampler.sweep
    monkeypatch.setattr(Sampler, "sweep", lambda self: calls.append(threads._Blas.calls) or sweep(self))
    fitted()
    of_fit = len(calls)
    make_recommender("mf", {"factors": 2, "draws": 2, "burn_in": 2}).fit(
        data_of(ratings(USER, ITEM, RATING), n_users=95, n_items=63)
    )
    assert len(calls) > of_fit > 0
    assert set(calls) == {1}
    assert threads._Blas.calls == 0


def test_fits_side_by_side_are_those_of_each_alone():
    folds = np.random.default_rng(2).integers(0, 3, len(USER))
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda fold: fitted(folds != fold, threads=2), range(3)))
    for fold, estimates in enumerate(found):
        assert_equal(estimates, fitted(folds != fold))


@BOTH
def test_all_ratings_of_known_users_folded_in_give_what_the_fit_gave(implicit):
    estimates = fitted(implicit=implicit)
    folded = estimates.fold_in(USER, ITEM, RATING)
    assert folded.users.nodes.tolist() == list(range(90))
    assert_equal(folded, estimates)


@BOTH
def test_newcomers_folded_in_one_by_one_or_at_once_are_the_same(implicit):
    new = USER >= 80
    estimates = fitted(~new, implicit=implicit)
    at_once = estimates.fold_in(USER[new], ITEM[new], RATING[new])
    one_by_one = estimates
    for user in np.random.default_rng(3).permutation(np.arange(80, 90)):
        mine = user == USER
        one_by_one = one_by_one.fold_in(USER[mine], ITEM[mine], RATING[mine])
    assert_equal(at_once, one_by_one)
    error = at_once.features(USER[new], ITEM[new])[0] - RATING[new]
    assert np.sqrt(np.mean(error**2)) < 0.35
    assert_equal(estimates, fitted(~new, implicit=implicit))


@BOTH
def test_new_users_and_new_items_can_come_together(implicit):
    new = (USER >= 80) | (ITEM >= 50)
    estimates = fitted(~new, implicit=implicit, burn_in=40)
    concerned = {"users": np.unique(USER[new]), "items": np.unique(ITEM[ITEM >= 50])}
    folded = estimates.fold_in(USER, ITEM, RATING, **concerned)
    both = (USER >= 80) & (ITEM >= 50)
    before, after = (e.features(USER[both], ITEM[both]) for e in (estimates, folded))
    assert np.sqrt(np.mean((after[0] - RATING[both]) ** 2)) < 0.4
    assert np.all(after[1] < before[1])


def test_more_ratings_make_surer():
    estimates = fitted(USER < 80)
    mine = np.flatnonzero(USER == 85)
    items = np.arange(59, dtype=np.int32)
    found = [estimates.features(np.full(59, 85), items)[1].mean()]
    for n in (1, 5, len(mine)):
        folded = estimates.fold_in(USER[mine[:n]], ITEM[mine[:n]], RATING[mine[:n]])
        found.append(folded.features(np.full(59, 85), items)[1].mean())
    assert found == sorted(found, reverse=True)
    assert found[-1] < 0.5 * found[0]


def test_what_is_hidden_changes_nothing():
    hidden = np.random.default_rng(4).random(len(USER)) < 0.2
    other = RATING.copy()
    other[hidden] = 1.0
    one = FactorEstimates.fit(USER[~hidden], ITEM[~hidden], RATING[~hidden], **SIZES, **SETTINGS)
    same = FactorEstimates.fit(USER[~hidden], ITEM[~hidden], other[~hidden], **SIZES, **SETTINGS)
    assert_equal(one, same)
    # Ratings of others in the list of a newcomer do not count for him either.
    mine = USER == 3
    alone = one.fold_in(USER[mine], ITEM[mine], RATING[mine])
    assert_equal(one.fold_in(USER, ITEM, RATING, users=np.int32([3])), alone)


@BOTH
def test_a_state_gives_the_same_answers_within_its_precision(implicit):
    estimates = fitted(implicit=implicit)
    back = FactorEstimates.from_state(estimates.state())
    assert_equal(back, estimates, rtol=2e-3, atol=2e-3)
    assert_equal(FactorEstimates.from_state(back.state()), back)
    new = np.int32([93] * 3), np.int32([1, 2, 3]), np.float32([5, 1, 3])
    assert_equal(back.fold_in(*new), estimates.fold_in(*new), rtol=5e-3, atol=5e-3)
    assert all(isinstance(value, np.ndarray | float) for value in back.state().values())


def test_ids_beyond_the_fit_get_what_is_expected_of_anybody():
    estimates = fitted()
    mean, deviation = estimates.features(np.int32([90, 5000]), np.int32([3, 3]))
    assert mean[0] == mean[1]
    assert abs(mean[0] - RATING[ITEM == 3].mean()) < 0.5
    assert deviation[0] > 1.5 * estimates.features(np.int32([5]), np.int32([3]))[1][0]


def test_parts_are_means_of_biases_and_lengths():
    estimates = fitted().fold_in(np.int32([95]), np.int32([3]), [4.0])
    found = estimates.parts(np.int32([4, 95, 4]), np.int32([3, 3, 70]))
    users, items = (from_lanes(side.known.vectors, 10) for side in (estimates.users, estimates.items))
    expected = [
        estimates.deviation * users[:, 4, -1].mean(),
        estimates.deviation * items[:, 3, -1].mean(),
        np.linalg.norm(users[:, 4, :-1], axis=1).mean(),
        np.linalg.norm(items[:, 3, :-1], axis=1).mean(),
    ]
    np.testing.assert_allclose(found[0], expected, rtol=1e-4)
    newcomer = from_lanes(estimates.users.patch.vectors, 10)[:, 1]
    np.testing.assert_allclose(found[1, 0], estimates.deviation * newcomer[:, -1].mean(), rtol=1e-4)
    np.testing.assert_allclose(found[1, 2], np.linalg.norm(newcomer[:, :-1], axis=1).mean(), rtol=1e-4)
    np.testing.assert_array_equal(found[1, [1, 3]], found[0, [1, 3]])
    np.testing.assert_array_equal(found[2, [0, 2]], found[0, [0, 2]])


def test_errors():
    estimates = fitted(draws=1)
    with pytest.raises(DataError, match="an index is below 0"):
        estimates.features(np.int32([-1]), np.int32([0]))
    with pytest.raises(DataError, match="a rating is not a finite number"):
        estimates.fold_in(np.int32([1]), np.int32([0]), [np.inf])
    with pytest.raises(DataError, match="no ratings"):
        FactorEstimates.fit(USER[:0], ITEM[:0], RATING[:0], **SIZES)


def test_repr():
    estimates = fitted(draws=2)
    assert repr(estimates) == "FactorEstimates(90 users x 60 items, 3 factors, implicit, 2 draws)"
    folded = repr(estimates.fold_in(np.int32([95]), np.int32([0]), [3.0]))
    assert folded.endswith("2 draws, 1 users and 0 items folded in)")


DESCRIBED, SIDE, FULL = described_ratings()
NEW_ITEMS = tuple(a.ravel().astype(np.int32) for a in np.meshgrid(np.arange(80), np.arange(50, 60)))
NEW_USERS = tuple(a.ravel().astype(np.int32) for a in np.meshgrid(np.arange(80, 90), np.arange(50)))


def described(side=SIDE, **settings):
    return FactorEstimates.fit(*DESCRIBED, **SIZES, **{**SETTINGS, "burn_in": 40, "side": side, **settings})


@BOTH
@pytest.mark.parametrize("pairs", [NEW_ITEMS, NEW_USERS])
def test_side_information_tells_of_rows_without_ratings(implicit, pairs):
    def error(estimates):
        return np.sqrt(np.mean((estimates.features(*pairs)[0] - FULL[pairs]) ** 2))

    told = described(implicit=implicit)
    assert error(told) < 0.65  # noise and what is left of an item make 0.5
    assert error(told) < 0.7 * error(described(implicit=implicit, side=None))
    wide = np.mean((told.features(*pairs)[0] - FULL[pairs]) ** 2 / (told.features(*pairs)[1] ** 2 + 0.16))
    assert 0.4 < wide < 1.5  # ten items or users alone


@BOTH
def test_a_described_newcomer_has_the_posterior_of_that_prior(implicit):
    estimates = described(implicit=implicit)
    rows = np.arange(60, dtype=np.int32)[50:]
    few = np.repeat(np.arange(3, dtype=np.int32), 10), np.tile(rows, 3)
    folded = estimates.fold_in(*few, FULL[few], users=np.empty(0, np.int32), items=rows)
    before, after = (e.features(*NEW_ITEMS) for e in (estimates, folded))
    errors = [np.mean((found[0] - FULL[NEW_ITEMS]) ** 2) for found in (before, after)]
    assert errors[1] < errors[0]
    assert np.all(after[1] < before[1])
    none = estimates.fold_in(few[0][:0], few[1][:0], [], users=np.empty(0, np.int32), items=rows)
    np.testing.assert_allclose(none.features(*NEW_ITEMS)[0], before[0], rtol=1e-5)


@BOTH
def test_described_estimates_are_kept_and_do_not_depend_on_threads(implicit):
    estimates = described(implicit=implicit)
    assert_equal(estimates, described(implicit=implicit, threads=3))
    back = FactorEstimates.from_state(estimates.state())
    assert_equal(back, estimates, rtol=3e-3, atol=3e-3)
    new = np.int32([85] * 3), np.int32([1, 2, 3]), np.float32([5, 1, 3])
    assert_equal(back.fold_in(*new), estimates.fold_in(*new), rtol=5e-3, atol=5e-3)


def test_features_of_rows_without_ratings_count_for_these_alone():
    changed = SIDE.items.values.copy()
    changed[50:] = changed[[0]]
    one, other = described(), described(side=SIDE._replace(items=SIDE.items._replace(values=changed)))
    rated = np.ravel(NEW_USERS[1]) < 50
    np.testing.assert_array_equal(one.items.known.vectors[:, :50], other.items.known.vectors[:, :50])
    pairs = tuple(column[rated] for column in NEW_USERS)
    np.testing.assert_array_equal(one.features(*pairs)[0], other.features(*pairs)[0])
    assert not np.array_equal(one.features(*NEW_ITEMS)[0], other.features(*NEW_ITEMS)[0])


def test_a_state_of_before_side_information_is_read():
    state = fitted().state()
    older = {name: value for name, value in state.items() if not name.endswith(("_values", "_effects"))}
    assert_equal(FactorEstimates.from_state(older), FactorEstimates.from_state(state))


def test_of_an_item_without_ratings_what_is_rated_much_is_expected():
    rng = np.random.default_rng(7)
    quality = np.append(rng.normal(size=56), np.zeros(4))
    share = np.where(np.arange(60) < 56, 1 / (1 + np.exp(-2 * quality)), 0)
    user, item = (a.astype(np.int32) for a in np.nonzero(rng.random((90, 60)) < 0.6 * share))
    rating = (3 + quality[item] + rng.normal(0, 0.3, len(item))).astype(np.float32)
    nothing = RowFeatures(rng.normal(size=(60, 1)).astype(np.float32), np.zeros(1, int))
    side = SideInformation(RowFeatures(np.zeros((90, 0), np.float32), np.zeros(0, int)), nothing)
    estimates = FactorEstimates.fit(user, item, rating, **SIZES, **SETTINGS, implicit=False, side=side)
    found = estimates.features(np.arange(90, dtype=np.int32), np.full(90, 58, np.int32))[0].mean()
    assert rating.mean() > 3 + quality[:56].mean() + 0.4
    assert found == pytest.approx(rating.mean(), abs=0.2)
