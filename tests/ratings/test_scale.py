import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.errors import DataError
from igmc.ratings.scale import KnownScale, RatingScale, distinct

FINITE = st.lists(st.floats(-100, 100).map(lambda x: round(x, 3)), min_size=1, max_size=60)


def test_half_stars():
    scale = RatingScale.fit([0.5, 5, 3, 3.5], known=KnownScale(0.5, 5, 0.5))
    assert scale.values.tolist() == [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5]
    assert scale.encode([0.5, 3.5, 5]).tolist() == [0, 6, 9]
    assert scale.encode([3.5]).dtype == np.uint8
    assert scale.decode([0, 6]).tolist() == [0.5, 3.5]


def test_a_level_that_training_lacks_is_kept_or_not_as_the_scale_says():
    assert RatingScale.fit([1, 5], known=KnownScale(1, 5)).values.tolist() == [1, 2, 3, 4, 5]
    sparse = RatingScale.fit([2, 30], known=KnownScale(1, 100, all_levels=False))
    assert sparse.values.tolist() == [2, 30]
    assert (sparse.low, sparse.high) == (1, 100)


def test_binary_and_single():
    assert RatingScale.fit([0, 1, 1]).encode([1, 0]).tolist() == [1, 0]
    assert RatingScale.fit([1, 1]).encode([1]).tolist() == [0]
    assert len(RatingScale.fit([1, 1])) == 1


@given(FINITE)
def test_ungrouped_levels_are_the_ranks_of_the_ratings(ratings):
    scale = RatingScale.fit(ratings)
    np.testing.assert_array_equal(scale.decode(scale.encode(ratings)), ratings)
    assert scale.values.tolist() == sorted(set(ratings))
    assert (scale.low, scale.high) == (min(ratings), max(ratings))


@given(FINITE, st.integers(1, 12), st.sampled_from(["width", "quantile"]))
def test_grouped_levels_are_ordered_and_within_the_range(ratings, levels, method):
    scale = RatingScale.fit(ratings, levels=levels, method=method)
    assert 1 <= len(scale) <= levels
    order = np.sort(ratings)
    encoded = scale.encode(order).astype(int)
    assert np.all(np.diff(encoded) >= 0)
    assert encoded.max() < len(scale)
    assert np.all((scale.values >= scale.low) & (scale.values <= scale.high))
    # A rating beyond the training range still has a level.
    assert scale.encode([-1e9, 1e9]).tolist() == [0, len(scale) - 1]


def test_width_and_quantile_differ_on_skewed_ratings():
    ratings = [1, 1, 1, 1, 2, 3, 4, 100]
    assert np.bincount(RatingScale.fit(ratings, levels=2).encode(ratings)).tolist() == [7, 1]
    quantile = RatingScale.fit(ratings, levels=2, method="quantile")
    assert np.bincount(quantile.encode(ratings)).tolist() == [4, 4]
    assert quantile.values.tolist() == [1.0, 27.25]  # the means of the groups


def test_width_bins_span_the_known_range_and_empty_ones_stand_for_their_centre():
    scale = RatingScale.fit([1, 2], levels=4, known=KnownScale(0, 8))
    assert scale.edges.tolist() == [2, 4, 6]
    assert scale.values.tolist() == [1, 2, 5, 7]


def test_more_values_than_relations_are_a_continuous_scale():
    scale = RatingScale.fit(np.arange(257))
    assert (scale.continuous, scale.grouped, len(scale), scale.encode([0, 256]).dtype) == (
        True,
        True,
        257,
        "u2",
    )
    with pytest.raises(
        DataError, match=r"too many distinct .*; got 257; allowed: at most 256.*--levels 10, or"
    ):
        scale.require_levels()
    assert scale.decode(scale.encode([3.2, 200.9])).tolist() == [3, 201]
    assert scale.shown().tolist() == np.linspace(0, 256, 11).tolist()
    few = RatingScale.fit(np.arange(256))
    few.require_levels()
    assert (len(few), few.continuous, few.encode([255]).dtype) == (256, False, "u1")
    assert len(RatingScale.fit(np.arange(257), levels=10)) == 10


def test_of_very_many_values_a_continuous_scale_keeps_4096():
    ratings = np.random.default_rng(0).normal(size=50_000)
    scale = RatingScale.fit(ratings)
    assert len(scale) == 4096
    assert np.abs(scale.decode(scale.encode(ratings)) - ratings).max() <= np.ptp(ratings) / 4096


def test_levels_that_differ_by_rounding_are_one():
    scale = RatingScale.fit([3.3, 3.3000000000000003, 2.5, 3.2999999])
    assert scale.values.tolist() == [2.5, 3.3]
    assert (scale.low, scale.high) == (2.5, 3.3)
    assert scale.encode([3.3, 3.3000000000000003, 3.2999999, 2.4999999]).tolist() == [1, 1, 1, 0]
    means = [np.mean([0.1, 0.2, 0.3]), np.mean([0.3, 0.2, 0.1]), 0.2, 0.5]
    assert RatingScale.fit(means).values.tolist() == [0.2, 0.5]
    with pytest.raises(DataError, match=r"not a level of the scale; got 3\.29"):
        scale.encode([3.29])


def test_close_values_do_not_melt_into_one():
    many = np.linspace(0, 1, 3_000_001)
    assert len(distinct(many)) == len(many)
    assert distinct([1.0, 1.0 + 1e-9, 1.0 + 2e-9]).tolist() == [1.0, 1.0 + 1e-9, 1.0 + 2e-9]
    assert distinct([7, 7]).tolist() == [7]
    assert RatingScale.fit([1e9, 1e9 + 0.5, 1e9 + 1]).values.tolist() == [1e9, 1e9 + 0.5, 1e9 + 1]


def test_a_rating_that_is_no_level():
    with pytest.raises(DataError, match=r"not a level of the scale; got 2\.5; allowed: 1, 2, 3;.*--levels"):
        RatingScale.fit([1, 2, 3]).encode([1, 2.5])
    with pytest.raises(DataError, match="not a level"):
        RatingScale.fit([1, 2, 3]).encode([np.nan])


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: RatingScale.fit([]), "no ratings to fit"),
        (lambda: RatingScale.fit([1, np.inf]), "not a finite number"),
        (
            lambda: RatingScale.fit([1], levels=0),
            r"number of levels is out of range; got 0; allowed: 1\.\.256",
        ),
        (lambda: RatingScale.fit([1], levels=2, method="x"), "unknown method of grouping"),
        (lambda: RatingScale([1, 2], [], 1, 2), "malformed"),
        (lambda: RatingScale([2, 1], [1.5], 1, 2), "not in ascending order"),
        (lambda: RatingScale([1, 2], [1.5], 1.5, 2), "range of the rating scale is wrong"),
        (lambda: RatingScale([1, np.nan], [1.5], 1, 2), "not finite"),
    ],
)
def test_bad_scales(call, match):
    with pytest.raises(DataError, match=match):
        call()


def test_clip_keeps_the_dtype():
    clipped = RatingScale.fit([1, 5]).clip(np.array([-3, 2.5, 9], dtype=np.float32))
    assert clipped.tolist() == [1, 2.5, 5]
    assert clipped.dtype == np.float32


@given(FINITE, st.sampled_from([None, 3]))
def test_json_round_trip(ratings, levels):
    scale = RatingScale.fit(ratings, levels=levels)
    again = RatingScale.from_dict(json.loads(json.dumps(scale.to_dict())))
    assert again.to_dict() == scale.to_dict()
    assert again.encode(ratings).tolist() == scale.encode(ratings).tolist()


def test_known_scale():
    halves = KnownScale(0.5, 5, 0.5)
    assert halves.outside(np.array([0.5, 0.75, 5, 5.5, 0, 4.5])).tolist() == [1, 3, 4]
    assert halves.outside(np.array([3.0999999, 3.0000001, 4.99999999])).tolist() == [0]
    assert str(halves) == "0.5..5 in steps of 0.5"
    assert KnownScale(-10, 10, None).outside(np.array([-9.95, 10.1])).tolist() == [1]
    assert KnownScale(-10, 10, None).values().tolist() == []
