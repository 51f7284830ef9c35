"""Lines from one scale to another: known ones, and what damping does to fitted ones."""

import json

import numpy as np
import pytest

from igmc.errors import ConfigError, DataError
from igmc.evaluation.transfer.scale_map import ScaleMap
from igmc.ratings.scale import KnownScale, RatingScale

STARS = RatingScale.fit([1, 2, 3, 4, 5])
PERCENT = np.array([1.0, 20, 21, 40, 60, 61, 77, 90, 100])


def fitted(method, ratings=PERCENT, hint=None, source=STARS):
    levels = RatingScale.fit(ratings, levels=5, known=hint)
    return ScaleMap.fit(source, levels, ratings, method)


@pytest.mark.parametrize(
    ("known", "slope"), [(KnownScale(1, 100), 20.0), (KnownScale(0.5, 5, 0.5), 1.0), (KnownScale(1, 5), 1.0)]
)
def test_the_ratio_is_what_the_paper_multiplies_by(known, slope):
    found = fitted("ratio", known.values(), known)
    assert (found.intercept, found.slope) == (0.0, slope)
    assert found.to_target(np.float32([2.5])).tolist() == [2.5 * slope]


def test_the_range_sends_ends_to_ends():
    found = fitted("range", np.linspace(-10, 10, 9))
    np.testing.assert_allclose(found.to_target(np.float32([1, 3, 5])), [-10, 0, 10], atol=1e-6)


def test_levels_are_the_line_through_what_each_level_is_rated():
    ratings = np.array([10.0, 10, 12, 14, 16, 18])  # levels 0, 0, 1, 2, 3, 4
    found = fitted("levels", ratings)
    np.testing.assert_allclose([found.intercept, found.slope], [8, 2])


def test_there_and_back_again():
    found = fitted("range", PERCENT)
    stars = np.linspace(0, 6, 25, dtype=np.float32)
    np.testing.assert_allclose(found.to_source(found.to_target(stars)), stars, atol=1e-5)


def test_a_map_survives_json():
    found = fitted("levels")
    again = ScaleMap.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again.to_dict() == found.to_dict()
    assert again.levels.encode([50.0]) == found.levels.encode([50.0])


def test_many_ratings_decide_and_few_noisy_ones_do_not():
    rng = np.random.default_rng(0)
    said = rng.uniform(1, 5, 5000)
    many = fitted("ratio").calibrated(said, 30 + 10 * said + rng.normal(0, 5, 5000))
    np.testing.assert_allclose([many.intercept, many.slope], [30, 10], atol=1)
    assert many.method == "calibrated"
    slopes = []
    for k in range(0, 1000, 10):
        few, heard = said[k : k + 10], 20 * said[k : k + 10] + rng.normal(0, 25, 10)
        slopes.append((fitted("ratio").calibrated(few, heard).slope, np.polyfit(few, heard, 1)[0]))
    damped, straight = np.mean(np.square(np.subtract(slopes, 20)), axis=0)
    assert damped < 0.6 * straight


def test_what_cannot_be_done_is_refused():
    with pytest.raises(
        ConfigError, match=r"ratings below 0 have no ratio; got '1..5 and -10..10'.*--rescale"
    ):
        fitted("ratio", np.linspace(-10, 10, 9))
    with pytest.raises(ConfigError, match="unknown way to rescale; got 'guess'"):
        fitted("guess")
    with pytest.raises(DataError, match="a calibration needs two ratings; got 1"):
        fitted("ratio").calibrated([3.0], [60.0])
    with pytest.raises(ConfigError, match="the scale map is flat"):
        fitted("ratio").calibrated([3.0] * 50, np.linspace(1, 100, 50)).to_source(np.float32([3]))
