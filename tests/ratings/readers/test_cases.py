"""Small files of kinds that other tools get wrong, each with the right value: from the file to the answer."""

import numpy as np
import pytest

from igmc.config import DataConfig
from igmc.errors import DataError
from igmc.ratings.load import load_dataset
from igmc.ratings.split import make_split

GENERATOR = np.random.default_rng(3)
# 40 users with 12 of 30 items each, and a rating between 0 and 1.
TRIPLES = [
    (user, item, float(GENERATOR.random()))
    for user in range(1, 41)
    for item in sorted(GENERATOR.choice(np.arange(100, 130), 12, replace=False).tolist())
]


def load(tmp_path, content, name="x.csv", **settings):
    path = tmp_path / name
    path.write_text(content)
    return load_dataset(DataConfig(dataset=str(path), **settings))


def test_means_in_another_order_are_one_level(tmp_path):
    rows = ["1,10,0.1", "1,10,0.2", "1,10,0.3", "2,10,0.3", "2,10,0.2", "2,10,0.1", "1,20,0.5"]
    data = load(tmp_path, "\n".join(["user,item,rating", *rows]), duplicates="mean")
    split = make_split(data, DataConfig(test_ratio=0, validation_ratio=0), 1)
    assert split.scale.values.tolist() == [0.2, 0.5]
    assert split.scale.encode(data.table.rating).tolist() == [0, 0, 1]


def test_float32_levels_are_those_that_people_wrote(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    stars = pa.array([3.1 + 0.1 * round(4 * r) for _, _, r in TRIPLES], pa.float32())
    users, items, _ = zip(*TRIPLES, strict=True)
    pq.write_table(pa.table({"user": users, "item": items, "rating": stars}), tmp_path / "r.pq")
    data = load_dataset(str(tmp_path / "r.pq"))
    scale = make_split(data, DataConfig(), 1).scale
    assert scale.values.tolist() == [3.1, 3.2, 3.3, 3.4, 3.5]
    assert scale.holds([3.1, 3.15]).tolist() == [True, False]


def test_milliseconds_end_in_this_century(tmp_path):
    lines = [f"{u},{i},{1 + round(4 * r)},{1_420_167_845_000 + 1000 * i}" for u, i, r in TRIPLES]
    data = load(tmp_path, "\n".join(["user,item,rating,timestamp", *lines]))
    assert data.table.timestamp.max() == 1_420_167_845 + 129
    assert "times are milliseconds" in str(data.report)


def test_a_quote_that_is_never_closed_loses_no_rating(tmp_path):
    content = 'user,item,rating,text\nu1,i1,5,"unclosed\nu2,i2,4,ok\nu3,i3,3,"next"\nu4,i4,2,"a"\n'
    with pytest.raises(DataError, match=r"x\.csv, line 2: .* continues to line 4"):
        load(tmp_path, content)
