"""What a text file means, read line by line: quotes, comments, decimal commas, dates, blanks."""

import pytest

from igmc.errors import DataError
from igmc.ratings.readers.files import find_file
from igmc.ratings.readers.layout import TextOptions
from igmc.ratings.readers.lines import QuoteError
from igmc.ratings.readers.text import read_text


def read(tmp_path, content, columns=None, **said):
    path = tmp_path / "x.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_text(find_file(path), columns, options=TextOptions(**said))


def rows(raw):
    return [
        (raw.users[u], raw.items[i], r)
        for u, i, r in zip(raw.user, raw.item, raw.rating.tolist(), strict=True)
    ]


def test_a_quote_that_is_never_closed_is_refused_with_the_line_that_opens_it(tmp_path):
    with pytest.raises(
        QuoteError, match=r"line 2: .* in a quoted field that continues to line 4; .*close or remove"
    ):
        read(tmp_path, 'user,item,rating,text\nu1,i1,5,"open\nu2,i2,4,ok\nu3,i3,3,"next"\nu4,i4,2,"a"\n')


def test_a_quoted_field_that_swallows_whole_ratings_is_refused(tmp_path):
    with pytest.raises(QuoteError, match=r"line 2: a quoted field holds a whole line .*; got 'u2,i2,4,b'"):
        read(tmp_path, 'user,item,rating,text\nu1,i1,5,"a\nu2,i2,4,b"\nu3,i3,3,"c"\n')
    raw = read(tmp_path, 'user,item,rating,text\nu1,i1,5,"a\nu2,i2,4,b"\nu3,i3,3,c\n')
    assert (len(raw.rating), raw.notes) == (3, ("quotes taken as part of the text, the first in line 2",))


def test_quotes_that_enclose_nothing_are_text(tmp_path):
    raw = read(tmp_path, 'user\titem\trating\n1\t"Heroes\t5\n2\tx\t4\n3\t"Heroes\t3\n4\ty\t2\n')
    assert rows(raw) == [(1, '"Heroes', 5), (2, "x", 4), (3, '"Heroes', 3), (4, "y", 2)]
    assert raw.notes == ("quotes taken as part of the text, the first in line 2",)
    assert raw.where(3).endswith("line 5")


def test_quotes_that_hide_the_separator_of_a_line_that_lacks_a_field_are_doubted(tmp_path):
    """Written without quoting: the user is '"a', the item 'b"'. As CSV all would be something else."""
    header, line = "user,item,rating,text,timestamp\n", '"a,b",3,1,100000000\n'
    raw = read(tmp_path, header + line)
    assert (rows(raw), raw.timestamp.tolist()) == ([('"a', 'b"', 3.0)], [100000000])
    assert raw.notes == ("quotes taken as part of the text, the first in line 2",)
    with pytest.raises(
        QuoteError, match=r"line 2: there are 4 fields, but 5 if the quotes are part of the text"
    ):
        read(tmp_path, header + line + '"c",d,3,"x",100000000\n')
    told = read(tmp_path, 'user,item,rating,text\nu,"a, b",3,x\nv,"a",4\n')  # nothing is hidden in line 3
    assert rows(told) == [("u", "a, b", 3), ("v", "a", 4)]


def test_a_quoted_line_break_is_counted(tmp_path):
    raw = read(tmp_path, 'user,item,rating,text\nu1,i1,5,"two\nlines"\nu2,i2,4,"three\r\nmore\n"\n')
    assert rows(raw) == [("u1", "i1", 5), ("u2", "i2", 4)]
    assert raw.notes == ("2 quoted cells hold a line break",)
    assert [raw.where(k).rpartition(" ")[2] for k in (0, 1)] == ["2", "4"]


def test_blanks_around_ids_are_cut_off_and_counted(tmp_path):
    raw = read(tmp_path, "user, item, rating\n1, 10, 4\n 2, 20 , 3\n2,10,5\n")
    assert rows(raw) == [(1, 10, 4), (2, 20, 3), (2, 10, 5)]
    assert raw.notes == ("blanks around 3 ids cut off",)
    assert rows(read(tmp_path, 'user, item, rating\n1, "a, b", 4\n')) == [(1, "a, b", 4)]


def test_whole_numbers_written_as_floats_are_whole_numbers(tmp_path):
    raw = read(tmp_path, "user,item,rating\n1.0,10.0,4\n2.0,20,3\n1,10.5,2\n")
    assert rows(raw) == [(1, "10.0", 4), (2, "20", 3), (1, "10.5", 2)]
    assert raw.notes == ("2 ids such as 27.0 read as whole numbers",)


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("1 10 4\n2  20\t3.5\n", ("1", "2", "3")),
        ("  1 10 4  \r\n\t2 20 3.5\n\n", ("1", "2", "3")),
        ('user item rating\n1 "10" 4\n2 20 3.5\n', None),
    ],
)
def test_runs_of_blanks_separate(tmp_path, content, columns):
    raw = read(tmp_path, content, columns)
    assert rows(raw) == [(1, 10, 4), (2, 20, 3.5)]
    assert "fields are separated by blanks" in raw.notes


def test_a_field_that_is_missing_between_blanks_is_refused(tmp_path):
    with pytest.raises(
        DataError, match="line 3: there are 3 fields, where the first line has 4; got '2 20 3'"
    ):
        read(tmp_path, "user item rating time\n1 10 4 5\n2 20 3\n")
    with pytest.raises(DataError, match="line 2: the line is malformed: quotes and tabs in one line"):
        read(tmp_path, 'user item rating\n1 "a\tb" 4\n')


@pytest.mark.parametrize("separator", ["||", "; ", "~", "\x01", r"\x01"])
def test_a_separator_that_is_told(tmp_path, separator):
    mark = "\x01" if separator.startswith("\\") else separator
    content = "".join(mark.join(line) + "\n" for line in (["user", "item", "rating"], ["1", "a,b", "4"]))
    assert rows(read(tmp_path, content, separator=separator)) == [(1, "a,b", 4)]


def test_decimal_commas(tmp_path):
    for content in (
        "user;item;rating\n1;a;3,5\n2;b;4\n",
        'user,item,rating\n1,a,"3,5"\n2,b,4\n',
        "user item rating\n1 a 3,5\n2 b 4\n",
    ):
        raw = read(tmp_path, content)
        assert raw.rating.tolist() == [3.5, 4]
        assert "decimal commas" in raw.notes
    late = "user;item;rating\n" + "1;a;4\n" * 500 + "2;b;3,5\n"
    assert read(tmp_path, late).rating[-1] == 3.5
    with pytest.raises(DataError, match=r"line 3: the rating is written otherwise than others; got '4\.5'"):
        read(tmp_path, "user;item;rating\n1;a;3,5\n2;b;4.5\n")


def test_dates_are_times(tmp_path):
    raw = read(tmp_path, "user,item,rating,date\n1,a,4,2004-03-15\n2,b,3,\n2,c,3,2004-03-15 01:00:00+01:00\n")
    assert raw.timestamp.tolist() == [1079308800, -1, 1079308800]
    with pytest.raises(DataError, match=r"line 3: the timestamp is not an ISO date; got '15\.3\.2004'"):
        read(tmp_path, "user,item,rating,date\n1,a,4,2004-03-15\n2,b,3,15.3.2004\n")
    with pytest.raises(DataError, match=r"line 3: the timestamp is not a number; got '2004-03-15'"):
        read(tmp_path, "user,item,rating,date\n1,a,4,978300760\n2,b,3,2004-03-15\n")


def test_comments_are_skipped_and_counted(tmp_path):
    raw = read(tmp_path, "% bip weighted\n% 3 2 2\n1 10 4\n# middle\n2 20 3\n# end\n", ("1", "2", "3"))
    assert rows(raw) == [(1, 10, 4), (2, 20, 3)]
    assert "2 comment lines skipped" in raw.notes
    raw = read(tmp_path, "# made by hand\n# user, item, rating\n1,10,4\n2,20,3\n")
    assert rows(raw) == [(1, 10, 4), (2, 20, 3)]
    raw = read(tmp_path, "user,item,rating\n#1,10,4\n%2,20,3\n")
    assert rows(raw) == [("#1", 10, 4), ("%2", 20, 3)], "an id may begin with such a sign"


def test_the_first_line_that_excel_reads(tmp_path):
    raw = read(tmp_path, "sep=;\nuser;item;rating\n1;a,b;3,5\n")
    assert rows(raw) == [(1, "a,b", 3.5)]
    assert raw.where(0).endswith("line 3")


def test_windows_text_is_told_from_latin_1(tmp_path):
    content = "user,item,rating\nO\u2019Neil,caf\u00e9,3\nx,y,4\n"
    raw = read(tmp_path, content.encode("cp1252"))
    assert (raw.users[0], raw.encoding) == ("O\u2019Neil", "cp1252")
    raw = read(tmp_path, "user,item,rating\n\u6f22,y,4\n".encode("shift_jis"), encoding="shift_jis")
    assert (raw.users, raw.encoding) == (["\u6f22"], "shift_jis")
    assert read(tmp_path, content.encode("utf-32")).users[0] == "O\u2019Neil"


def test_an_id_with_a_nul_is_refused(tmp_path):
    filler = "1,2,3\n" * 2000  # past what is looked at for binary files
    with pytest.raises(DataError, match="line 2002: the item holds a NUL character"):
        read(tmp_path, "user,item,rating\n" + filler + "1,a\0b,3\n")
