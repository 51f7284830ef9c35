"""Which files the lenient parser may read."""

import pytest

from igmc.ratings.readers.files import find_file
from igmc.ratings.readers.layout import TextLayout
from igmc.ratings.readers.tame import is_tame

LAYOUT = TextLayout(",", 3, 0, 1, 2, None)


def tame(tmp_path, content, encoding="utf-8-sig", **changes):
    path = tmp_path / "x.csv"
    path.write_bytes(content.encode(encoding))
    return is_tame(find_file(path), TextLayout(**{**LAYOUT.__dict__, **changes}), encoding)


@pytest.mark.parametrize("content", ["", "1,2,3\n", '"1",2,"3"\n4,"5,x",6\r\n', '"1","2","3"', '1,2,""\n'])
def test_plain_quotes_are_tame(tmp_path, content):
    assert tame(tmp_path, content)


@pytest.mark.parametrize(
    "content",
    [
        '1,"2,3\n',
        '1,"a""b",3\n',
        '1,"a\nb",3\n',
        '1,a"b",3\n',
        '1,"a"b,3\n',
        '1,a"b"c,3\n',
        "1,\0,3\n",
        '1, "a",3\n',
    ],
)
def test_others_are_not(tmp_path, content):
    assert not tame(tmp_path, content)


def test_quotes_that_enclose_nothing_do_not_matter(tmp_path):
    assert tame(tmp_path, '1,"2,3\n', quoted=False)
    assert tame(tmp_path, '1::"2::3\n', delimiter="::")
    assert not tame(tmp_path, "1::\0::3\n", delimiter="::")


def test_in_other_encodings_any_quote_is_doubtful(tmp_path):
    assert tame(tmp_path, "1,2,3\n", "utf-16")
    assert not tame(tmp_path, '1,"2",3\n', "utf-16")
