import numpy as np
import pytest

from igmc.errors import DataError
from igmc.ratings.readers.files import find_file
from igmc.ratings.readers.text import read_text
from igmc.ratings.scale import KnownScale
from igmc.ratings.to_table import to_table

HEADER = "user,item,rating,timestamp\n"


def made(tmp_path, lines: str, duplicates: str = "last", known=None):
    path = tmp_path / "ratings.csv"
    path.write_text(HEADER + lines)
    return to_table(read_text(find_file(path)), str(path), duplicates=duplicates, known=known)


def test_ids_of_each_column_come_back_as_given(tmp_path):
    table, _ = made(tmp_path, "1,01,3,5\n2,1,4,6\n2,x,4,0\n")
    assert table.users.decode(table.user) == [1, 2, 2]
    assert table.items.decode(table.item) == ["01", "1", "x"]
    assert table.timestamp.tolist() == [5, 6, 0]


DUPLICATES = "1,1,3,10\n2,1,4,20\n1,1,5,30\n2,2,1,40\n1,1,1,25\n"


def test_the_last_duplicate_is_kept(tmp_path):
    table, report = made(tmp_path, DUPLICATES)
    assert table.rating.tolist() == [4, 1, 1]
    assert table.timestamp.tolist() == [20, 40, 25]
    assert (report.rows, report.duplicates, report.duplicate_rule) == (5, 2, "last")
    assert "2 duplicates of a (user, item) pair merged: the last in the file kept" in str(report)


def test_the_mean_of_duplicates(tmp_path):
    table, report = made(tmp_path, DUPLICATES, "mean")
    assert table.rating.tolist() == [4, 1, 3]
    assert table.timestamp.tolist() == [20, 40, 25]
    assert "ratings averaged" in str(report)


def test_a_duplicate_as_an_error(tmp_path):
    with pytest.raises(
        DataError,
        match=r"ratings\.csv, line 5: user 1 has rated item 1 before, in .*ratings\.csv, line 3; got 5\.0;.*"
        r"remove one of them, or use --duplicates last or mean",
    ):
        made(tmp_path, "\n" + DUPLICATES, "error")
    table, report = made(tmp_path, DUPLICATES.splitlines(keepends=True)[0] + "2,2,2,2\n", "error")
    assert (len(table), report.duplicates) == (2, 0)


def test_a_rating_outside_the_scale(tmp_path):
    with pytest.raises(
        DataError, match=r"line 4: the rating is outside the scale; got 3\.5; allowed: 1\.\.5 in steps of 1"
    ):
        made(tmp_path, "1,1,3,1\n\n1,2,3.5,1\n2,1,9,1\n", known=KnownScale(1, 5))
    assert len(made(tmp_path, "1,1,3,1\n1,2,3.5,1\n2,1,-9,1\n")[0]) == 3


@pytest.mark.parametrize(("lines", "side"), [("1,1,3,\n1,2,4,\n", "user"), ("1,7,3,\n2,7,4,\n", "item")])
def test_one_user_or_one_item(tmp_path, lines, side):
    with pytest.raises(
        DataError,
        match=rf"csv holds ratings of one {side} only; got [17]; allowed: at least two {side}s; .*--columns",
    ):
        made(tmp_path, lines)


def test_many_duplicates_against_a_dictionary(tmp_path):
    rng = np.random.default_rng(1)
    rows = [(int(u), int(i), int(r)) for u, i, r in rng.integers(0, 12, (500, 3))]
    lines = "".join(f"{u},{i},{r},\n" for u, i, r in rows)
    last = {(u, i): r for u, i, r in rows}
    every: dict = {}
    for u, i, r in rows:
        every.setdefault((u, i), []).append(r)
    for rule, expected in (("last", last), ("mean", {k: np.mean(v) for k, v in every.items()})):
        table, report = made(tmp_path, lines, rule)
        users, items = table.users.decode(table.user), table.items.decode(table.item)
        found = dict(zip(zip(users, items, strict=True), table.rating, strict=True))
        assert found == pytest.approx(expected)
        assert len(table) == len(expected) == 500 - report.duplicates
