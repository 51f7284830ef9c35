"""The blocks of the Netflix Prize."""

import pytest

from igmc.errors import DataError
from igmc.ratings.load import load_dataset
from igmc.ratings.readers import netflix

BLOCKS = (
    "1:\n1488844,3,2005-09-06\n822109,5,2005-05-13\n2:\n1488844,4,2005-10-19\n\n3:\n4:\n30878,4,2005-12-26\n"
)


def load(tmp_path, content):
    path = tmp_path / "combined_data_1.txt"
    path.write_text(content)
    return load_dataset(str(path))


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_blocks(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr(netflix, "_CHUNK", chunk)
    data = load(tmp_path, BLOCKS)
    table = data.table
    assert (table.users.ids, table.items.ids) == ((30878, 822109, 1488844), (1, 2, 4))
    assert table.users.decode(table.user) == [1488844, 822109, 1488844, 30878]
    assert table.items.decode(table.item) == [1, 1, 2, 4]
    assert table.rating.tolist() == [3, 5, 4, 4]
    assert table.timestamp.tolist() == [1125964800, 1115942400, 1129680000, 1135555200]
    assert "in the blocks of the Netflix Prize" in str(data.report)


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("7,good,2005-09-06", "line 4: the rating is malformed; got 'good'"),
        ("7,nan,2005-09-06", "line 4: the rating is malformed; got 'nan'"),
        ("7,3,2005-19-06", "line 4: the date is malformed; got '2005-19-06'"),
        ("7,3", "line 4: the date is malformed; got ''"),
        (",3,2005-09-06", "line 4: there is no user, or no item before it"),
        ("7,3,2005-09-06,x", "is malformed"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, match):
    with pytest.raises(DataError, match=match):
        load(tmp_path, BLOCKS.replace("2:\n", f"{line}\n2:\n", 1))
