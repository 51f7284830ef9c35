"""Whatever csv and pandas write comes back as it was, or is refused with the line."""

import csv
import io
import os
import re

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from igmc.errors import DataError
from igmc.ratings.raw_ratings import RawRatings
from igmc.ratings.readers.files import find_file
from igmc.ratings.readers.layout import TextOptions, text_layout
from igmc.ratings.readers.text import read_fast, read_slow, read_text

ODD = st.sampled_from(
    [
        *(
            '"',
            '""',
            '"a',
            'a"',
            'a"b',
            ",",
            ";",
            "\t",
            "|",
            "::",
            "a,b",
            "a;b",
            "a\tb",
            "x y",
            " x",
            "x ",
            "#1",
        ),
        *(
            "\n",
            " ",
            "a\nb",
            "a\r\nb",
            "\r",
            "1,2,3",
            "u,i,3\nv,j,4",
            "%",
            "# a",
            "sep=;",
            "1.0",
            "01",
            "1",
            "-3",
            "27.0",
        ),
        *(
            "NA",
            "nan",
            "None",
            "true",
            "é",
            "Ю",
            "日本",
            "\u2019",
            "\u00a0x",
            "\u2028",
            "\x1c",
            "\ufeff",
            "\x0b",
            "'",
            "\\",
        ),
    ]
)
IDS = st.one_of(
    ODD,
    st.integers(-3, 30).map(str),
    # Without control characters: Latin-1's are letters of Windows' encoding, which is far more frequent.
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=5),
    st.sampled_from(["u1", "u2", "i1", "i2"]),
).filter(lambda text: text.strip() or text in (" ", "\n"))
RATINGS = st.one_of(
    st.integers(0, 10).map(float),
    st.sampled_from([0.5, 3.5, 4.25, -9.75, 3.3000000000000003, 1e-7]),
    st.floats(-1e6, 1e6),
)
ROWS = st.lists(
    st.tuples(IDS, IDS, RATINGS, st.one_of(ODD, st.just("")), st.integers(10**8, 2 * 10**9)),
    min_size=1,
    max_size=6,
)
SEPARATORS = (",", ";", "\t", "|", " ", "::")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252", "shift_jis")
# Few by default, to be quick. In full: IGMC_EXAMPLES=2000 pytest tests/ratings/readers/test_any_table.py
EXAMPLES = int(os.environ.get("IGMC_EXAMPLES", "200"))
QUOTING = (csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC)


def written(rows, how, separator, quoting, end, decimal) -> str:
    """The text that csv, pandas or a join of strings makes of a table."""
    columns = ["user", "item", "rating", "text", "timestamp"]
    out = io.StringIO(newline="")
    if how == "pandas":
        frame = pd.DataFrame(rows, columns=columns)
        frame.to_csv(out, index=False, sep=separator, quoting=quoting, lineterminator=end, decimal=decimal)
    elif how == "csv":
        writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=end)
        writer.writerow(columns)
        writer.writerows([u, i, repr(r).replace(".", decimal), text, t] for u, i, r, text, t in rows)
    else:  # joined without quoting: as some programs do
        lines = [columns, *([u, i, repr(r), text, str(t)] for u, i, r, text, t in rows)]
        out.write("".join(separator.join(line) + end for line in lines))
    return out.getvalue()


def own_cell(cell, separator: str):
    """A cell that needs no quotes, or has only such as no CSV would have."""
    wrong = isinstance(cell, str) and (
        separator in cell or {"\n", "\r"} & set(cell) or cell[:1] == '"' == cell[-1:]
    )
    return "x" if wrong else cell


def could_be_utf_8(content: bytes, encoding: str) -> bool:
    """Whether text of one byte a letter happens to be UTF-8 too, as no words of any language are."""
    if encoding not in ("latin-1", "cp1252"):
        return False
    try:
        return content.decode() != content.decode(encoding)
    except UnicodeDecodeError:
        return False


def plain(ids) -> list:
    """What a column of these ids holds: blanks around are cut off, and whole numbers are numbers."""
    texts = [text.strip() for text in ids]
    if all(re.fullmatch(r"(0|-?[1-9][0-9]*)(\.0*)?", text, re.ASCII) for text in texts):
        return [int(text.partition(".")[0]) for text in texts]
    return texts


def columns_of(raw: RawRatings) -> tuple[list, list, list, list]:
    users, items = [raw.users[k] for k in raw.user], [raw.items[k] for k in raw.item]
    return users, items, raw.rating.tolist(), raw.timestamp.tolist()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    ROWS,
    st.sampled_from(["csv", "pandas", "joined"]),
    st.sampled_from(SEPARATORS),
    st.sampled_from(QUOTING),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([".", ","]),
    st.sampled_from(ENCODINGS),
    st.booleans(),
)
def test_a_table_comes_back_or_is_refused(
    tmp_path_factory, rows, how, separator, quoting, end, decimal, encoding, told
):
    if how != "joined" and len(separator) > 1:
        separator = ","
    if how == "joined":
        rows = [tuple(own_cell(cell, separator) for cell in row) for row in rows]
    path, text = (
        tmp_path_factory.getbasetemp() / "any_table.csv",
        written(rows, how, separator, quoting, end, decimal),
    )
    try:
        path.write_bytes(text.encode(encoding))
    except UnicodeEncodeError:
        encoding = "utf-8"
        path.write_bytes(text.encode(encoding))
    must_tell = told or encoding == "shift_jis" or could_be_utf_8(path.read_bytes(), encoding)
    said = TextOptions(separator if told else None, None, encoding if must_tell else None)
    file = find_file(path)
    try:
        raw = read_text(file, ("user", "item", "rating", "timestamp"), options=said)
    except DataError as error:
        refused = str(error)
    else:
        refused = ""
    if refused:
        assert re.search(r"line \d+|is empty|holds no ratings|is not .* text", refused)
        return
    users, items, ratings, times = zip(*((u, i, r, t) for u, i, r, _, t in rows), strict=True)
    assert columns_of(raw) == (plain(users), plain(items), list(ratings), list(times))
    both_agree(file, raw.encoding, said)


def both_agree(file, encoding: str, said: TextOptions) -> None:
    """Where the fast reader takes a file, it reads what the slow one does."""
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    layout = text_layout(file, ("user", "item", "rating", "timestamp"), codec, options=said)
    try:
        fast = read_fast(file, layout, codec)
    except Exception:
        return
    slow = read_slow(file, layout, codec)
    assert columns_of(fast) == columns_of(slow)
    assert (fast.notes, fast.blank_lines) == (slow.notes, slow.blank_lines)
    assert [fast.where(k) for k in range(len(fast.rating))] == [
        slow.where(k) for k in range(len(slow.rating))
    ]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_ordinary_tables_are_not_refused(tmp_path, encoding):
    path = tmp_path / "plain.csv"
    path.write_bytes('user,item,rating,timestamp\n1,"a, b",3.5,7\n2,c,4,8\n'.encode(encoding))
    options = TextOptions(encoding=encoding if encoding == "shift_jis" else None)
    raw = read_text(find_file(path), None, options=options)
    assert columns_of(raw) == ([1, 2], ["a, b", "c"], [3.5, 4.0], [7, 8])
