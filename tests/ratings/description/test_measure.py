"""What `describe` says of data sets whose every number can be counted by hand."""

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from igmc.config import DataConfig
from igmc.errors import DataError
from igmc.ratings.dataset import Dataset, ReadReport
from igmc.ratings.demo.dataset import make_demo
from igmc.ratings.description.measure import describe, genre_flags, rating_bins
from igmc.ratings.description.report import Bin, Extreme, Gap
from igmc.ratings.ids import IdTable
from igmc.ratings.load import load_dataset
from igmc.ratings.table import RatingTable


def test_counts_and_what_the_reader_met(toy):
    page = describe(toy)
    assert (page.name, page.ratings, page.rows, page.blank_lines, page.duplicates) == ("toy", 10, 13, 2, 3)
    assert page.density == pytest.approx(10 / 25)
    assert page.splits == ("u1",)
    assert "3 duplicates" in page.report
    for side in (page.users, page.items):
        assert (side.total, side.rated, side.once) == (5, 4, 1)


def test_activity_and_long_tail(toy):
    side = describe(toy).users
    assert (side.activity.least, side.activity.median, side.activity.greatest) == (1, 2.5, 4)
    assert (side.activity.lower_quartile, side.activity.upper_quartile) == (1.75, 3.25)
    assert side.activity.mean == 2.5
    # Of the four with a rating the top fifth is one, with 4 of 10 ratings.
    assert side.top_share == pytest.approx(0.4)
    assert side.gini == pytest.approx((-3 * 1 - 1 * 2 + 1 * 3 + 3 * 4) / (4 * 10))


def test_missing_values_of_every_column(toy):
    assert describe(toy).missing == (
        Gap("user age", 2, 5),
        Gap("user gender", 2, 5),
        Gap("item title", 2, 5),
        Gap("item genres", 1, 5),
        Gap("timestamp", 3, 10),
    )


def test_time_as_far_as_it_is_known(toy):
    time = describe(toy).time
    assert (time.first, time.last) == ("1969-03-07T00:00:00", "1971-02-05T00:00:00")
    assert time.known == pytest.approx(0.7)
    assert time.years == {1969: 1, 1970: 5, 1971: 1}


@pytest.mark.parametrize("time", [None, np.full(10, -1)])
def test_time_unknown(toy, time):
    t = toy.table
    page = describe(Dataset("toy", RatingTable(t.users, t.items, t.user, t.item, t.rating, time), toy.report))
    assert page.time is None
    assert page.missing == (Gap("timestamp", 10, 10),)


def test_genre_shares_count_an_item_for_each_of_its_genres(toy):
    genres = {g.name: g for g in describe(toy).genres}
    assert list(genres) == ["A", "B"], "by ratings"
    assert (genres["A"].items, genres["A"].ratings) == (3, 4 + 3 + 0)
    assert (genres["B"].items, genres["B"].ratings) == (2, 4 + 1)
    assert (genres["B"].item_share, genres["B"].rating_share) == (pytest.approx(0.4), pytest.approx(0.5))
    assert genre_flags(toy.item_info)["B"].tolist() == [True, False, False, True, False]
    assert genre_flags(None) == {}


def test_ratings_themselves(toy):
    rating = describe(toy).rating
    assert (rating.scale, rating.distinct) == ("1..5 in steps of 1", 5)
    assert rating.bins == (Bin(1, 1, 2), Bin(2, 2, 3), Bin(3, 3, 1), Bin(4, 4, 1), Bin(5, 5, 3))
    assert (rating.summary.mean, rating.summary.median) == (3.0, 2.5)
    assert rating.deviation == pytest.approx(math.sqrt(24 / 10))


def test_ratings_that_rounding_sets_apart_are_one_level():
    rating = describe(ratings_of([[3.3, 2.5], [3.3000000000000003], [3.3, 2.5]])).rating
    assert rating.distinct == 2
    assert rating.bins == (Bin(2.5, 2.5, 2), Bin(3.3, 3.3, 3))


def ratings_of(groups):
    """A data set in which user k rates items 0, 1, ... with the values of group k."""
    user = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    item = np.concatenate([np.arange(len(group)) for group in groups])
    ids = [
        IdTable(tuple(f"{name}{k}" for k in range(n)))
        for name, n in (("u", len(groups)), ("i", item.max() + 1))
    ]
    table = RatingTable(*ids, user, item, np.concatenate(groups))
    return Dataset("made", table, ReadReport("made", len(user)))


def test_fences_on_the_log_of_activity():
    # Their logarithms to base 2: 0, 3, 3, 4, 4, 4, 5, 5, 8. Quartiles 3 and 5, fences 0 and 8.
    counts = [1, 8, 8, 16, 16, 16, 32, 32, 256]
    fence = describe(ratings_of([[3.0] * n for n in counts])).users.activity_fence
    assert (fence.low, fence.high) == (pytest.approx(1), pytest.approx(256))
    assert (fence.below, fence.above) == (0, 0)
    counts[-1] = 300
    fence = describe(ratings_of([[3.0] * n for n in counts])).users.activity_fence
    assert (fence.below, fence.above, fence.extremes) == (0, 1, (Extreme("u8", 300.0),))


def test_fences_on_means_judge_only_those_with_five_ratings():
    means = [2, 3, 3, 3, 4, 4, 4, 5]
    groups = [[float(mean)] * 5 for mean in means]
    # Quartiles 3 and 4, fences 1.5 and 5.5.
    users = describe(ratings_of([*groups, [-9.0] * 4])).users
    assert (users.judged, users.mean_fence.low, users.mean_fence.high) == (8, 1.5, 5.5)
    assert (users.mean_fence.below, users.mean_fence.above) == (0, 0)
    # Quartiles of -1, 0, 2, 3, 3, 3, 4, 4, 4, 5, 9 are 2.5 and 4, so the fences are 0.25 and 6.25.
    users = describe(ratings_of([*groups, [-1.0] * 5, [0.0] * 5, [9.0] * 5])).users
    assert (users.mean_fence.low, users.mean_fence.high) == (0.25, 6.25)
    assert (users.mean_fence.below, users.mean_fence.above) == (2, 1)
    assert users.mean_fence.extremes == (Extreme("u10", 9.0), Extreme("u8", -1.0), Extreme("u9", 0.0))


def test_users_who_give_one_value_only():
    users = describe(
        ratings_of([[5.0] * 5, [5.0] * 4, [5.0, 5, 5, 5, 4], [1.0] * 6, [4.0, 5, 5, 5, 5]])
    ).users
    assert (users.judged, users.constant) == (4, 2), "four ratings of one value say little"


def test_nobody_to_judge():
    page = describe(ratings_of([[1.0, 2.0], [3.0]]))
    assert (page.users.judged, page.users.mean_fence, page.users.constant) == (0, None, 0)
    assert "mean rating" not in page.format()


def test_many_values_are_counted_in_bins_between_round_numbers():
    bins = rating_bins(np.arange(1.0, 101.0))
    assert [(b.low, b.high) for b in bins] == [(k, k + 5.0) for k in range(0, 100, 5)]
    assert [b.count for b in bins] == [4, *[5] * 18, 6], "100 is in the last bin"


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (-9.95, 10), (0.3, 0.7), (1e-14, 9e-14), (1e6, 1e6 + 3), (-1e30, 1e30)]
)
def test_bins_hold_every_rating_once(low, high):
    rating = np.random.default_rng(1).uniform(low, high, 1000)
    rating[:2] = low, high
    bins = rating_bins(rating)
    assert 8 <= len(bins) <= 21
    assert sum(b.count for b in bins) == 1000
    assert all(one.high == two.low for one, two in pairwise(bins))
    for b in bins[:-1]:
        assert b.count == ((rating >= b.low) & (rating < b.high)).sum()


def test_no_ratings():
    none = RatingTable(IdTable(("a",)), IdTable((1,)), np.zeros(0, int), np.zeros(0, int), np.zeros(0))
    with pytest.raises(DataError, match="nothing has no ratings to describe; hint: add ratings"):
        describe(Dataset("nothing", none, ReadReport("nothing", 0)))


def test_demo_knows_everything():
    page = describe(make_demo())
    assert {gap.missing for gap in page.missing} == {0}
    assert len(page.genres) == 10
    assert "nothing besides" not in page.format()


def test_real_data_against_pandas(data_root):
    """MovieLens 100K once more, by other means."""
    columns = ["user", "item", "rating", "time"]
    raw = pd.read_csv(data_root / "ml-100k" / "u.data", sep="\t", names=columns)
    page = describe(load_dataset("ml_100k", data_dir=data_root))
    assert page.ratings == len(raw)
    for name, side in (("user", page.users), ("item", page.items)):
        groups = raw.groupby(name)["rating"]
        counts = groups.size().sort_values(ascending=False)
        assert (side.rated, side.once) == (len(counts), (counts == 1).sum())
        assert side.activity.quantile_95 == counts.quantile(0.95)
        assert side.top_share == pytest.approx(counts.iloc[: math.ceil(len(counts) / 5)].sum() / len(raw))
        spread = np.abs(counts.to_numpy()[:, None] - counts.to_numpy()).mean()
        assert side.gini == pytest.approx(spread / (2 * counts.mean())), "half the relative mean difference"
        means = groups.mean()[groups.size() >= 5]
        q1, q3 = means.quantile([0.25, 0.75])
        assert side.mean_fence.below == (means < q1 - 1.5 * (q3 - q1)).sum()
        assert side.mean_fence.above == (means > q3 + 1.5 * (q3 - q1)).sum()
        assert side.constant == (groups.nunique()[groups.size() >= 5] == 1).sum()
    years = pd.to_datetime(raw["time"], unit="s").dt.year.value_counts()
    assert page.time.years == years.sort_index().to_dict()


def test_dirty_real_data(data_root):
    path = data_root / "goodbooks" / "ratings.zip"
    page = describe(load_dataset(DataConfig(str(path), columns="user_id,book_id,rating")))
    assert (page.rows, page.duplicates, page.ratings) == (981_756, 2_278, 979_478)
    assert page.users.constant == 1_115


def test_unknown_times_of_real_data(data_root):
    page = describe(load_dataset(DataConfig(dataset="ml_1m"), data_dir=data_root))
    assert page.missing[-1] == Gap("timestamp", 512_518, 1_000_168)
    assert page.time.first == "2000-10-04T00:52:14", "not 1970, which 0 would stand for"
