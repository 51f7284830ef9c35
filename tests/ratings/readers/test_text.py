import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igmc.errors import DataError
from igmc.ratings.load import load_dataset
from igmc.ratings.raw_ratings import RawRatings
from igmc.ratings.readers import text as readers_text
from igmc.ratings.readers.files import RatingFile, find_file
from igmc.ratings.readers.layout import TextLayout, TextOptions, text_layout
from igmc.ratings.readers.text import read_fast, read_slow, read_text

CLEAN = "user,item,rating,timestamp\n1,10,4,978300760\n2,10,3.5,-86400\n01,x y,5,\n"


def write(folder: Path, content: str | bytes, name: str = "ratings.csv") -> RatingFile:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return find_file(path)


def rows(raw: RawRatings) -> list[tuple]:
    times = [None] * len(raw.rating) if raw.timestamp is None else raw.timestamp.tolist()
    users, items = (
        [names[k] for k in codes] for names, codes in ((raw.users, raw.user), (raw.items, raw.item))
    )
    return list(zip(users, items, raw.rating.tolist(), times, strict=True))


EXPECTED = [("1", "10", 4.0, 978300760), ("2", "10", 3.5, -86400), ("01", "x y", 5.0, -1)]


@pytest.fixture
def only_fast(monkeypatch):
    def refuse(*args):
        raise RuntimeError("the slow reader was called")

    monkeypatch.setattr(readers_text, "read_slow", refuse)


@pytest.mark.parametrize(
    "content",
    [
        CLEAN,
        CLEAN.rstrip("\n"),
        CLEAN.replace("\n", "\r\n"),
        CLEAN.replace("\n", "\r"),
        "\ufeff" + CLEAN,
        CLEAN.encode("utf-16"),
        CLEAN.replace(",", "\t"),
        CLEAN.replace(",", ";"),
        CLEAN.replace(",", "|"),
        CLEAN.replace(",", "::"),
        CLEAN.replace("x y", '"x y"'),
        CLEAN.replace("item", " item "),
        CLEAN.replace(",\n", "\n"),  # the last field may be left out
    ],
)
def test_clean_files_take_the_fast_path(tmp_path, only_fast, content):
    assert rows(read_text(write(tmp_path, content))) == EXPECTED


def test_blank_lines_are_skipped_and_counted_by_both(tmp_path):
    file = write(tmp_path, "\n \n" + CLEAN.replace("\n", "\n\n  \n,,,\n"))
    raw = read_text(file)
    assert rows(raw) == EXPECTED
    assert raw.blank_lines == 2 + 3 * 4
    assert [raw.where(k).rpartition(" ")[2] for k in range(3)] == ["7", "11", "15"]
    layout = TextLayout(",", 4, 0, 1, 2, 3, skip=3, blank=2)
    for reader in (read_fast, read_slow):
        assert (rows(reader(file, layout, "utf-8")), reader(file, layout, "utf-8").blank_lines) == (
            EXPECTED,
            14,
        )


def test_latin_1_is_read_and_reported(tmp_path, only_fast):
    raw = read_text(write(tmp_path, "user,item,rating\ncafé,1,3\nnaïve,2,4\n".encode("latin-1")))
    assert raw.users == ["café", "naïve"]
    assert raw.encoding == "latin-1"
    assert read_text(write(tmp_path, "user,item,rating\ncafé,1,3\n")).encoding == "utf-8"


def test_columns_by_position_and_in_any_order(tmp_path, only_fast):
    file = write(tmp_path, "9,4.5,77,junk,5\n8,1,78,junk,6\n")
    assert rows(read_text(file, ("3", "1", "2"))) == [(77, 9, 4.5, None), (78, 8, 1.0, None)]
    assert rows(read_text(file, ("1", "3", "2", "5")))[0] == (9, 77, 4.5, 5)


def test_columns_by_name(tmp_path, only_fast):
    file = write(tmp_path, 'who,"the, item",when,stars\na,b,7,1\n')
    assert rows(read_text(file, ("who", "the, item", "stars", "when"))) == [("a", "b", 1.0, 7)]


@pytest.mark.parametrize("other", ["false", "0", "0.0"])
def test_true_and_false_are_ratings(tmp_path, other):
    raw = read_text(write(tmp_path, f"user,item,rating\n1,1,True\n1,2,{other}\n2,1,TRUE\n"))
    assert raw.rating.tolist() == [1, 0, 1]


def test_words_that_pandas_takes_for_missing_are_ids(tmp_path, only_fast):
    raw = read_text(write(tmp_path, "user,item,rating\nNA,nan,1\nnull,None,2\n"))
    assert (raw.users, raw.items) == (["NA", "null"], ["nan", "None"])


def test_a_field_may_hold_quotes_delimiters_and_line_breaks(tmp_path):
    file = write(tmp_path, 'user,item,rating\n"a,""b""\nc",1,2\nd,1,x\n')
    with pytest.raises(DataError, match=r"line 4: the rating is not a number; got 'x'"):
        read_text(file)
    file = write(tmp_path, 'user,item,rating\n"a,""b""\nc",1,2\nd,1,3\n')
    raw = read_text(file)
    assert raw.users == ['a,"b"\nc', "d"]
    assert raw.where(1).endswith("line 4")


BAD = {
    "1,2\n": "the rating is missing; got ''; allowed: a finite number",
    "1,2,\n": "the rating is missing",
    "1,2,four\n": "the rating is not a number; got 'four'; allowed: a finite number such as 4 or 3.5",
    "1,2,nan\n": "the rating is not a number; got 'nan'",
    "1,2,inf\n": "the rating is not a number; got 'inf'",
    "1,2,1e999\n": "the rating is too large; got '1e999'",
    "1,2,4.5x\n": "the rating is not a number; got '4.5x'",
    "1,2,yes\n": "the rating is not a number; got 'yes'",
    "1,2,3,True\n": "the timestamp is not a number; got 'True'",
    "1,2,0x1\n": "the rating is not a number; got '0x1'",
    "1,2,1_0\n": "the rating is not a number; got '1_0'",
    '1,2,"1,234.5"\n': "the rating is not a number; got '1,234.5'",
    ",2,4\n": "the user is missing",
    "1, ,4\n": "the item is missing",
    "1,2,4,5,6\n": "there are 5 fields, where the first line has 4; got '6'; allowed: at most 4 fields",
    "1,2,4,5,\n": "there are 5 fields",
    "1,2,4,yesterday\n": "the timestamp is not a number; got 'yesterday'; allowed: seconds since 1970",
    "1,2,4,1e300\n": "the timestamp is too large",
    "1,2,4,-1e300\n": "the timestamp is too large",
    "1,2,4,inf\n": "the timestamp is not a number",
    '1,2,"4\n': "the line is malformed: unexpected end of data",
}


@pytest.mark.parametrize("line", BAD)
@pytest.mark.parametrize("place", [1, 4, 40])
def test_a_bad_line_is_named(tmp_path, line, place):
    lines = ["user,item,rating,timestamp\n"] + [f"{k},{k % 7},3,{k}\n" for k in range(1, 60)]
    lines.insert(place, line)
    number = r"\d+" if line == '1,2,"4\n' else place + 1
    with pytest.raises(DataError, match=rf"ratings\.csv, line {number}: ") as caught:
        read_text(write(tmp_path, "".join(lines)))
    assert BAD[line] in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("line", ["1::2::3::4::junk\n", "1::2:3:4\n", "1:x::2::3::4\n", "1::2\n"])
def test_a_bad_line_between_double_colons(tmp_path, line):
    good = "".join(f"{k}::{k + 1}::3::978300760\n" for k in range(1, 9))
    file = write(tmp_path, good + line + good, "ratings.dat")
    if line.startswith("1:x"):  # a colon alone is no delimiter
        assert "1:x" in read_text(file, ("1", "2", "3", "4")).users
    else:
        with pytest.raises(DataError, match=r"ratings\.dat, line 9: "):
            read_text(file, ("1", "2", "3", "4"))


def test_junk_in_the_first_line_shows_where_the_number_of_fields_is_known(tmp_path):
    file = write(tmp_path, "1\t2\t3\t4\tjunk\n1\t3\t3\t4\n", "u.data")
    with pytest.raises(DataError, match="line 1: there are 5 fields"):
        read_text(file, ("1", "2", "3", "4"), fields=4)


def test_a_header_where_positions_were_given(tmp_path):
    with pytest.raises(DataError, match=r"line 1: .* got 'rating'.*if line 1 is a header, name its columns"):
        read_text(write(tmp_path, CLEAN), ("1", "2", "3"))


@pytest.mark.parametrize("content", ["", "\n\n", "user,item,rating\n", "user,item,rating\n\n,,\n", "\ufeff"])
@pytest.mark.parametrize("columns", [None, ("user", "item", "rating")])
def test_empty_files(tmp_path, content, columns):
    with pytest.raises(DataError, match=r"is empty|holds no ratings"):
        read_text(write(tmp_path, content), columns)


def test_a_truncated_archive(tmp_path):
    content = gzip.compress(CLEAN.encode() * 1000 + np.random.default_rng(0).bytes(1000).hex().encode())
    file = write(tmp_path, content[:-200], "ratings.csv.gz")
    with pytest.raises(DataError, match=r"ratings\.csv\.gz cannot be read .*fetch it again"):
        read_text(file)


def test_many_chunks_give_what_one_gives(tmp_path, only_fast, monkeypatch):
    lines = [f"u{k % 13},{k % 7},{k % 5},{k}\n" for k in range(1000)]
    file = write(tmp_path, "user,item,rating,timestamp\n" + "".join(lines))
    whole = read_text(file)
    monkeypatch.setattr(readers_text, "_CHUNK", 64)
    parts = read_text(file)
    assert rows(parts) == rows(whole)
    assert parts.users == whole.users
    lines[64] = "1,2,3,4,junk\n"  # the first of a chunk
    with pytest.raises(RuntimeError, match="slow reader was called"):
        read_text(write(tmp_path, "user,item,rating,timestamp\n" + "".join(lines)))


CELLS = st.sampled_from(
    [
        *("1", "2", "01", "x", "é", "", " ", "3", "4.5", "-1", "+2", ".5", "5.", "1e2", "nan", "NA", "inf"),
        *(
            "1_0",
            "x:y",
            "978300760",
            "-9e9",
            "0",
            '"q"',
            '"a,b"',
            "True",
            "1 2",
            "\u0665",
            "1e999",
            "0x1",
            " 3 ",
        ),
        "\x00",
    ]
)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.lists(CELLS, min_size=0, max_size=6), min_size=1, max_size=5),
    st.sampled_from([",", "\t", "::", ";"]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_what_the_fast_reader_takes_the_slow_one_reads_the_same(
    tmp_path_factory, cells, delimiter, end, timed
):
    text = "".join(delimiter.join(line) + end for line in cells)
    file = write(tmp_path_factory.mktemp("fuzz"), text)
    layout = TextLayout(delimiter, 4, 0, 1, 2, 3 if timed else None)
    try:
        fast = read_fast(file, layout, "utf-8")
    except DataError:
        raise
    except Exception:
        return  # in doubt: read_text asks the slow reader
    slow = read_slow(file, layout, "utf-8")
    assert rows(fast) == rows(slow)
    assert (fast.users, fast.items, fast.blank_lines) == (slow.users, slow.items, slow.blank_lines)
    assert [fast.where(k) for k in range(len(fast.rating))] == [
        slow.where(k) for k in range(len(fast.rating))
    ]


def test_a_real_file_with_one_bad_line(data_root, tmp_path):
    path = tmp_path / "ratings.csv"
    shutil.copy(data_root / "ml-latest-small" / "ratings.csv", path)
    with path.open("ab") as file:
        file.write(b"7,8,4.0,1\r\n610,168252,five,1\r\n")
    with pytest.raises(DataError, match=r"ratings\.csv, line 100839: the rating is not a number; got 'five'"):
        load_dataset(str(path))


def test_text_that_breaks_off_within_a_character_is_refused(tmp_path):
    content = CLEAN.encode("utf-16")[:-1]
    with pytest.raises(DataError, match=r"ratings\.csv is not utf-16 text \(.*\); allowed: UTF-8 or Latin-1"):
        read_text(write(tmp_path, content))


def test_a_comment_between_blanks_that_may_be_a_rating_is_refused(tmp_path):
    columns = ("user", "item", "rating")
    said = write(tmp_path, "user item rating\na 1 3.0\n% not meant\n% 2 4.0\n", "blanks.txt")
    with pytest.raises(DataError, match=r"line 4: this is a comment or a rating; got '?% 2 4.0"):
        read_text(said, columns)
    short = write(tmp_path, "user item rating text timestamp\na 1 3.0 x 7\n% 2 4.0  7\n", "short.txt")
    with pytest.raises(DataError, match=r"line 3: this is a comment or a rating; got '?% 2 4.0"):
        read_text(short, (*columns, "timestamp"))
    konect = write(tmp_path, "% bip weighted\n% 3 2 2\n1 1 3\n1 2 4\n2 1 5\n", "out.films")
    assert len(read_text(konect, ("1", "2", "3")).rating) == 3


def test_a_quote_that_is_closed_by_that_of_the_next_line_swallows_no_rating(tmp_path):
    text = 'user,item,rating,text\n",1,3.0,x\n",2,4.0,x\n%,3,5.0,x\n'
    with pytest.raises(DataError, match=r"line 2: a quoted field holds a whole line that is a rating itself"):
        read_text(write(tmp_path, text), ("user", "item", "rating"))
    text = 'user,item,rating,text\n1,2,3,"a, b\nc, d"\n"u\nv",2,4,x\n'
    raw = read_text(write(tmp_path, text), ("user", "item", "rating"))
    assert [row[0] for row in rows(raw)] == ["1", "u\nv"]


CLICKS = TextOptions(implicit=True)


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("user,item\na,x\nb,y\n\n", None),
        ("a,x\nb,y\n", ("1", "2", "")),
        ("x b a\ny c b\n", ("3", "1", "")),
        ("item\tuser\nx\ta\ny\tb\n", None),
        ("user::item\na::x\nb::y\n", ("user", "item", "")),
    ],
)
def test_pairs_without_ratings(tmp_path, only_fast, content, columns):
    raw = read_text(write(tmp_path, content), columns, options=CLICKS)
    assert rows(raw) == [("a", "x", 1.0, None), ("b", "y", 1.0, None)]
    assert not raw.rated


def test_pairs_have_times_and_both_readers_agree(tmp_path):
    file = write(tmp_path, "user,item,kind,time\n1,10,view,978300760\n\n2,10,,978300761\n")
    layout = text_layout(file, ("user", "item", "", "time"), "utf-8", options=CLICKS)
    fast, slow = read_fast(file, layout, "utf-8"), read_slow(file, layout, "utf-8")
    assert rows(fast) == rows(slow) == [(1, 10, 1.0, 978300760), (2, 10, 1.0, 978300761)]
    assert fast.blank_lines == slow.blank_lines == 1


def test_a_comment_among_pairs_is_skipped_unless_it_may_be_a_pair(tmp_path):
    raw = read_text(write(tmp_path, "user,item\na,x\n# so far\nb,y\n"), options=CLICKS)
    assert [row[:2] for row in rows(raw)] == [("a", "x"), ("b", "y")]
    assert "1 comment lines skipped" in raw.notes
    with pytest.raises(DataError, match="line 3: this is a comment or a pair; got '#b y'"):
        read_text(write(tmp_path, "user,item\na,x\n#b,y\n"), options=CLICKS)


@pytest.mark.parametrize("line", ["b", "b,", ",y"])
def test_half_a_pair_is_named(tmp_path, line):
    with pytest.raises(DataError, match=r"line 3: the (user|item) is missing"):
        read_text(write(tmp_path, f"user,item\na,x\n{line}\n"), options=CLICKS)
