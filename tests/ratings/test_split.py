import hashlib
import json
import logging
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.config import DataConfig
from igmc.errors import ConfigError, DataError, IgmcError
from igmc.ratings.dataset import Dataset, ReadReport
from igmc.ratings.ids import IdTable
from igmc.ratings.scale import KnownScale, RatingScale
from igmc.ratings.split import Split, make_split
from igmc.ratings.table import RatingTable

STARS = KnownScale(1, 5)


def dataset(n: int = 200, splits=None, hint=STARS, ratings=None, stamps: bool = True) -> Dataset:
    users, user = IdTable.build([f"u{k // 10}" for k in range(n)])
    items, item = IdTable.build([k % 10 for k in range(n)])
    values = np.random.default_rng(0).integers(1, 6, n) if ratings is None else ratings
    times = np.arange(n) if stamps else None
    table = RatingTable(users, items, user, item, values, times)
    return Dataset("toy", table, ReadReport("toy", n), splits=splits or {}, scale_hint=hint)


@given(
    st.integers(20, 300),
    st.floats(0, 0.5),
    st.floats(0, 0.5),
    st.floats(0.1, 1.0),
    st.integers(0, 2**32 - 1),
)
def test_parts_are_disjoint_and_of_the_sizes_asked(n, test_ratio, validation_ratio, keep_ratio, seed):
    config = DataConfig(
        split="random", test_ratio=test_ratio, validation_ratio=validation_ratio, keep_ratio=keep_ratio
    )
    made = make_split(dataset(n), config, seed)
    parts = np.concatenate([made.train, made.validation, made.test])
    assert len(np.unique(parts)) == len(parts)
    assert len(made.test) == round(test_ratio * n)
    n_validation = round(validation_ratio * (n - len(made.test)))
    n_train = n - len(made.test) - n_validation
    assert len(made.validation) == np.ceil(keep_ratio * n_validation)
    assert len(made.train) == np.ceil(keep_ratio * n_train)
    for part in (made.train, made.validation, made.test):
        assert np.all(np.diff(part) > 0)


def test_the_same_seed_gives_the_same_split_and_another_seed_another():
    data, config = dataset(), DataConfig()
    assert make_split(data, config, 3).digest() == make_split(data, config, 3).digest()
    one, two = make_split(data, config, 3), make_split(data, config, 4)
    assert one.test.tolist() != two.test.tolist()
    assert one.validation.tolist() != two.validation.tolist()


def test_keep_ratio_thins_training_and_validation_only_and_keeps_subsets():
    data = dataset()
    whole, half, tenth = (make_split(data, DataConfig(keep_ratio=r), 1) for r in (1.0, 0.5, 0.1))
    assert whole.test.tolist() == half.test.tolist() == tenth.test.tolist()
    for part, size in (("train", 162), ("validation", 18)):
        parts = [set(getattr(s, part).tolist()) for s in (whole, half, tenth)]
        assert parts[2] < parts[1] < parts[0]
        assert [len(p) for p in parts] == [size, np.ceil(size / 2), np.ceil(size / 10)]


def test_the_first_official_split_is_the_default():
    first, second = (np.arange(150), np.arange(150, 200)), (np.arange(50, 200), np.arange(50))
    data = dataset(splits={"b": first, "a": second})
    for config, name, test in (
        (DataConfig(), "b", first[1]),
        (DataConfig(split="a"), "a", second[1]),
    ):
        made = make_split(data, config, 1)
        assert made.name == name
        assert made.test.tolist() == test.tolist()
        assert len(made.validation) == 15
        assert len(made.train) == 135
    assert make_split(data, DataConfig(split="random"), 1).name == "random"
    assert make_split(dataset(), DataConfig(), 1).name == "random"


def test_the_order_of_an_official_file_does_not_matter():
    rows = np.arange(150), np.arange(150, 200)
    one = make_split(dataset(splits={"x": rows}), DataConfig(), 1)
    two = make_split(dataset(splits={"x": (rows[0][::-1], rows[1][::-1])}), DataConfig(), 1)
    assert one.digest() == two.digest()


def test_unknown_split():
    with pytest.raises(ConfigError, match="toy has no such split; got 'u9'; allowed: default, random, u1"):
        make_split(dataset(splits={"u1": (np.arange(9), np.arange(9, 12))}), DataConfig(split="u9"), 1)


def test_nothing_left_for_training():
    with pytest.raises(DataError, match=r"training part is empty.*--validation-ratio"):
        make_split(dataset(2), DataConfig(validation_ratio=0.95, test_ratio=0.0), 1)


def test_the_scale_ignores_the_test_part():
    ratings = np.r_[np.full(150, 2.0), np.full(49, 3.0), 77.0]
    data = dataset(splits={"x": (np.arange(199), np.array([199]))}, hint=None, ratings=ratings)
    made = make_split(data, DataConfig(), 1)
    assert made.scale.values.tolist() == [2, 3]
    assert made.pairs(made.test).rating.tolist() == [77]
    assert make_split(data, DataConfig(levels=1), 1).scale.grouped


def test_levels_and_their_method_reach_the_scale():
    rows = np.arange(190), np.arange(190, 200)
    data = dataset(ratings=np.r_[np.full(150, 1.0), np.full(50, 11.0)], splits={"x": rows}, hint=None)
    wide, even = (
        make_split(data, DataConfig(levels=2, level_method=m), 1).scale for m in ("width", "quantile")
    )
    assert wide.edges.tolist() == [6]
    assert even.edges.tolist() == []  # the median is the least rating


def test_absent_levels_and_cold_ids_are_reported(caplog):
    data = dataset(splits={"x": (np.arange(150), np.arange(150, 200))}, ratings=np.full(200, 3))
    with caplog.at_level(logging.INFO):
        make_split(data, DataConfig(), 1)
    assert "no rating of the training part has the level 1, 2, 4, 5" in caplog.text
    assert "5 users and 0 items occur only in the test part" in caplog.text


def test_pairs_are_the_rows_in_order():
    data = dataset()
    made = make_split(data, DataConfig(), 1)
    rows = np.array([7, 3])
    pairs = made.pairs(rows)
    np.testing.assert_array_equal(pairs.user, data.table.user[rows])
    np.testing.assert_array_equal(pairs.item, data.table.item[rows])
    np.testing.assert_array_equal(pairs.rating, data.table.rating[rows])


def parts(train, validation, test, **more) -> Split:
    data = dataset(20)
    scale = RatingScale.fit(data.table.rating)
    return Split(data.table, scale, train, validation, test, **{"name": "x", "seed": 1, **more})


@pytest.mark.parametrize(
    ("args", "match"),
    [
        (([0, 1], [1], [2]), "twice; got 'row 1'"),
        (([0, 0], [1], [2]), "twice; got 'row 0'"),
        (([0], [1], [20]), r"test part is out of range; allowed: 0\.\.19"),
        (([-1], [1], [2]), "train part is out of range"),
        (([], [1], [2]), "training part is empty"),
    ],
)
def test_bad_splits(args, match):
    with pytest.raises(DataError, match=match):
        parts(*args)


def test_digest_changes_with_everything():
    made = [
        parts([0, 1], [2], [3]),
        parts([0], [1, 2], [3]),
        parts([0, 1], [2], [4]),
        parts([0, 1], [2], [3], name="y"),
        parts([0, 1], [2], [3], seed=2),
        parts([0, 1], [2, 3], []),
    ]
    assert len({s.digest() for s in made}) == len(made)


@pytest.mark.parametrize("stamps", [True, False])
def test_save_and_load(tmp_path, stamps):
    made = make_split(dataset(stamps=stamps), DataConfig(), 1)
    path = tmp_path / "new" / "split.npz"
    made.save(path)
    again = Split.load(path)
    assert again.digest() == made.digest()
    assert again.table.users == made.table.users
    assert (again.name, again.seed) == (made.name, made.seed)
    assert again.validation.tolist() == made.validation.tolist()
    assert (again.table.timestamp is not None) == stamps
    assert os.listdir(path.parent) == ["split.npz"]


def test_any_flipped_byte_is_found(tmp_path):
    path = tmp_path / "split.npz"
    made = make_split(dataset(40), DataConfig(), 1)
    made.save(path)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(content), 150):
        flipped = bytearray(content)
        flipped[place] ^= 1 << rng.integers(8)
        path.write_bytes(flipped)
        try:
            loaded = Split.load(path)
        except DataError:
            continue
        assert loaded.digest() == made.digest()  # a bit that says nothing, such as a date


@pytest.mark.parametrize("keep", [0, 10, 1000])
def test_truncated_file(tmp_path, keep):
    path = tmp_path / "split.npz"
    make_split(dataset(), DataConfig(), 1).save(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"damaged or not a split.*make it again: of a run by igmc-train"):
        Split.load(path)


def test_edited_content_does_not_match_the_digest(tmp_path):
    path = tmp_path / "split.npz"
    make_split(dataset(), DataConfig(), 1).save(path)
    with np.load(path) as file:
        arrays = dict(file)
    arrays["rating"] = arrays["rating"][::-1]
    np.savez(path, **arrays)
    with pytest.raises(DataError, match="does not match its digest"):
        Split.load(path)
    arrays["head"] = np.frombuffer(arrays["head"].tobytes().replace(b"split 1", b"split 9"), np.uint8)
    np.savez(path, **arrays)
    with pytest.raises(DataError, match="its format is 'igmc split 9'"):
        Split.load(path)


def test_no_file(tmp_path):
    with pytest.raises(DataError, match="there is no split at"):
        Split.load(tmp_path / "split.npz")


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "split.npz"
    made = make_split(dataset(), DataConfig(), 1)
    made.save(path)
    before = path.read_bytes()

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(IgmcError, match=r"cannot write .*No space left.*free some space") as caught:
        made.save(path)
    assert caught.value.exit_code == 1, "a full disk is a failure, not bad data"
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["split.npz"]


def test_support_is_a_part_of_its_own():
    made = parts([3, 0], [1], [2], support=[9, 7])
    assert made.support.tolist() == [7, 9]
    assert parts([0], [1], [2]).support.tolist() == []
    with pytest.raises(DataError, match=r"support part is out of range; allowed: 0\.\.19"):
        parts([0], [1], [2], support=[20])
    for row in (0, 1, 2):
        with pytest.raises(DataError, match=f"twice; got 'row {row}'"):
            parts([0], [1], [2], support=[5, row])


def test_the_digest_covers_support_and_is_the_old_one_without_any():
    made = [
        parts([0], [1], [2, 3]),
        parts([0], [1], [2], support=[3]),
        parts([0], [1], [2], support=[4]),
        parts([0], [1], [3], support=[2]),
        parts([0], [1], [], support=[2, 3]),
    ]
    assert len({s.digest() for s in made}) == len(made)
    # What version 0.1 wrote for the same split.
    old = make_split(dataset(), DataConfig(), 1)
    head = [old.table.digest(), old.scale.to_dict(), "random", 1, len(old.train), len(old.validation)]
    sha = hashlib.sha256(json.dumps(head).encode())
    for rows in (old.train, old.validation, old.test):
        sha.update(rows.tobytes())
    assert old.digest() == sha.hexdigest()


@pytest.mark.parametrize(("support", "kind"), [([], "igmc split 1"), ([7, 9], "igmc split 2")])
def test_support_is_saved_and_a_file_without_any_is_as_it_always_was(tmp_path, support, kind):
    made = parts([0, 3], [1], [2], support=support)
    made.save(tmp_path / "split.npz")
    assert Split.load(tmp_path / "split.npz").support.tolist() == support
    with np.load(tmp_path / "split.npz") as file:
        assert json.loads(file["head"].tobytes())["format"] == kind
        assert ("support" in file.files) == bool(support)
        arrays = dict(file)
    if support:
        arrays["support"] = np.array([7, 8])
        np.savez(tmp_path / "split.npz", **arrays)
        with pytest.raises(DataError, match="does not match its digest"):
            Split.load(tmp_path / "split.npz")
