"""The demo and its noise floor, and ratings in any number."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from igmc.config import DataConfig
from igmc.errors import ConfigError
from igmc.ratings.dataset import Dataset
from igmc.ratings.demo.dataset import demo_noise_floor, make_demo, make_ratings
from igmc.ratings.demo.generator import make_world
from igmc.ratings.load import load_dataset
from igmc.ratings.side_features import side_features
from igmc.ratings.split import Split, make_split

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def demo() -> Dataset:
    return make_demo()


@pytest.fixture(scope="module")
def split(demo: Dataset) -> Split:
    return make_split(demo, DataConfig(), seed=1)


def rmse(truth: Floats, prediction: Floats) -> float:
    return float(np.sqrt(np.mean((truth - prediction) ** 2)))


def test_demo_is_the_same_everywhere(demo: Dataset) -> None:
    # Of another machine, NumPy or SciPy too: whoever changes the generator changes this number knowingly.
    assert demo.table.digest() == "95a77ff9530ee312a5ca80a304b76cd84fc704d69e4f7c97b609550de3da34a3"
    assert make_demo().table.digest() == demo.table.digest() != make_demo(seed=2).table.digest()
    assert load_dataset("demo").table.digest() == demo.table.digest()


def test_demo_is_complete(demo: Dataset) -> None:
    table = demo.table
    assert (len(table), len(table.users), len(table.items)) == (12_000, 300, 250)
    assert sorted(set(table.rating.tolist())) == [1, 2, 3, 4, 5]
    assert table.users.ids[:2] == (1, 2)
    assert table.items.ids[:2] == ("f001", "f002")
    assert demo.scale_hint is not None
    assert demo.scale_hint.values().tolist() == [1, 2, 3, 4, 5]
    assert re.search(r"12000 ratings .*noise floor: RMSE 0\.\d{3}\)", str(demo.report))


def test_demo_has_info_on_both_sides(demo: Dataset) -> None:
    users, items = demo.user_info, demo.item_info
    assert users is not None
    assert items is not None
    assert users["age"].between(16, 76).all()
    assert users["occupation"].nunique() == 9
    assert items["title"].is_unique
    assert items["title"].str.fullmatch(r"The \w+ \w+ \(\d{4}\)").all()
    assert (items["title"].str[-5:-1].astype(int) == items["year"]).all()
    assert items["year"].between(1960, 2014).all()
    assert items["genres"].str.split("|").str.len().isin([1, 2]).all()
    features = side_features(demo)
    assert features[0].shape == (300, 1 + 9)
    assert features[1].shape == (250, 1 + 10)


def test_demo_timestamps(demo: Dataset) -> None:
    times, user = demo.table.timestamp, demo.table.user
    assert times is not None
    assert times.min() >= 1_420_070_400  # 2015
    assert times.max() < 1_640_995_200  # 2022
    assert (np.diff(times)[np.diff(user) == 0] >= 0).all()
    assert len(np.unique(times // 86_400)) > 1000


def test_demo_has_long_tails(demo: Dataset) -> None:
    for index, size, least in ((demo.table.user, 300, 8), (demo.table.item, 250, 1)):
        counts = np.sort(np.bincount(index, minlength=size))
        assert counts[0] >= least
        assert counts[-1] > 3 * np.median(counts)


def test_noise_floor_of_rows(demo: Dataset, split: Split) -> None:
    world = make_world(1, 300, 250)
    table, test = demo.table, split.test
    best = world.expected(table.user, table.item)
    assert demo_noise_floor() == pytest.approx(rmse(table.rating, best))
    assert demo_noise_floor(test) == pytest.approx(rmse(table.rating[test], best[test]))
    assert demo_noise_floor(seed=2) != demo_noise_floor()
    assert 0.55 < demo_noise_floor(test) < 0.65


def test_neighbours_tell_what_biases_do_not(demo: Dataset, split: Split) -> None:
    """The gap between a bias model and the floor is wide, and item neighbours close most of it."""
    table, test = demo.table, split.test
    train = np.concatenate([split.train, split.validation])
    bias = bias_prediction(table.user, table.item, table.rating, train)
    neighbours = bias + neighbour_prediction(table.user, table.item, table.rating - bias, train)
    floor = demo_noise_floor(test)
    bias_error, neighbour_error = (rmse(table.rating[test], p[test]) for p in (bias, neighbours))
    assert bias_error > 0.95
    assert floor < 0.62
    assert neighbour_error < floor + 0.4 * (bias_error - floor)


def bias_prediction(user: NDArray[np.int32], item: NDArray[np.int32], rating: Floats, rows: Floats) -> Floats:
    """Global mean plus damped user and item biases, found in turns."""
    u, i, r = user[rows], item[rows], rating[rows] - rating[rows].mean()
    of_user, of_item = np.zeros(300), np.zeros(250)
    for _ in range(20):
        of_user = np.bincount(u, r - of_item[i], 300) / (np.bincount(u, minlength=300) + 5)
        of_item = np.bincount(i, r - of_user[u], 250) / (np.bincount(i, minlength=250) + 5)
    result: Floats = rating[rows].mean() + of_user[user] + of_item[item]
    return result


def neighbour_prediction(
    user: NDArray[np.int32], item: NDArray[np.int32], rest: Floats, rows: Floats
) -> Floats:
    """Item neighbours by cosine of what the biases leave."""
    known, values = np.zeros((300, 250)), np.zeros((300, 250))
    known[user[rows], item[rows]] = 1
    values[user[rows], item[rows]] = rest[rows]
    squares = (values**2).T @ known
    similar = values.T @ values / (np.sqrt(squares * squares.T) + 3)
    np.fill_diagonal(similar, 0)
    similar *= np.abs(similar)
    result: Floats = (values @ similar / (known @ np.abs(similar) + 0.1))[user, item]
    return result


@settings(deadline=None, max_examples=40)
@given(
    n_users=st.integers(1, 60),
    n_items=st.integers(1, 60),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**63),
)
def test_make_ratings(n_users: int, n_items: int, share: float, seed: int) -> None:
    n_ratings = max(1, int(share * n_users * n_items))
    user, item, level = make_ratings(n_users, n_items, n_ratings, seed)
    assert (user.dtype, item.dtype, level.dtype) == (np.int32, np.int32, np.uint8)
    assert len(user) == len(item) == len(level) == n_ratings
    assert len(np.unique(user.astype(np.int64) * n_items + item)) == n_ratings
    assert user.min() >= 0
    assert user.max() < n_users
    assert item.min() >= 0
    assert item.max() < n_items
    assert level.max() <= 4
    assert (np.diff(user) >= 0).all()
    again = make_ratings(n_users, n_items, n_ratings, seed)
    assert all(np.array_equal(a, b) for a, b in zip((user, item, level), again, strict=True))


def test_make_ratings_has_the_tails_of_movielens() -> None:
    user, item, _ = make_ratings(8_000, 3_000, 1_200_000, seed=1)
    activity, popularity = np.bincount(user), np.bincount(item, minlength=3_000)
    assert activity.min() >= 20
    assert 1.6 < activity.mean() / np.median(activity) < 2.6  # ML-25M: 153 / 71
    assert popularity.mean() > 3 * np.median(popularity)
    assert 0.3 < popularity.max() / 8_000 < 0.75  # ML-25M: 0.50


def test_another_seed_gives_other_ratings() -> None:
    one, two = make_ratings(50, 40, 1500, 1), make_ratings(50, 40, 1500, 2)
    assert all(not np.array_equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((0, 5, 1), r"n_users is out of range; got 0"),
        ((5, 0, 1), r"n_items is out of range; got 0"),
        ((5, 4, 21), r"n_ratings is out of range; got 21; allowed: 1\.\.20"),
        ((5, 4, 0), r"n_ratings is out of range; got 0"),
    ],
)
def test_sizes_out_of_range(sizes: tuple[int, int, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_ratings(*sizes, seed=1)
