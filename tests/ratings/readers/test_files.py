import bz2
import gzip
import lzma
import os
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.errors import DataError
from igmc.ratings.readers.files import decoded, find_file

TEXT = b"user,item,rating\n1,2,3\n"


def zipped(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_compression_is_seen_in_the_content(tmp_path, pack):
    path = tmp_path / "any.name"
    path.write_bytes(pack(TEXT))
    with find_file(path).open() as stream:
        assert stream.read() == TEXT


@pytest.mark.parametrize(
    ("name", "suffix"), [("a.csv", ".csv"), ("a.TSV.gz", ".tsv"), ("a.parquet", ".parquet"), ("a.x.xz", ".x")]
)
def test_suffix_of_what_is_inside(tmp_path, name, suffix):
    (tmp_path / name).write_bytes(TEXT)
    assert find_file(tmp_path / name).suffix == suffix


def test_the_one_table_in_a_zip(tmp_path):
    path = zipped(tmp_path / "x.zip", **{"a/": "", "a/README": "hi", "a/r.csv": TEXT, "__MACOSX/r.csv": "no"})
    file = find_file(path)
    assert str(file) == f"{path}/a/r.csv"
    assert file.suffix == ".csv"
    with file.open() as stream:
        assert stream.read() == TEXT


def test_a_zip_as_a_folder(tmp_path):
    path = zipped(tmp_path / "x.zip", **{"a/r.csv": TEXT, "a/m.csv": "other"})
    with find_file(path / "a" / "r.csv").open() as stream:
        assert stream.read() == TEXT
    assert find_file(path / "m.csv").member == "a/m.csv", "by its name alone"
    with pytest.raises(DataError, match=r"exactly one table; allowed: a/r.csv, a/m.csv; .*x\.zip/a/r\.csv"):
        find_file(path)
    with pytest.raises(DataError, match=r"does not hold b\.csv; allowed: a/r\.csv, a/m\.csv"):
        find_file(path / "b.csv")


def test_empty_and_damaged_zips(tmp_path):
    with pytest.raises(DataError, match="does not hold exactly one table"):
        find_file(zipped(tmp_path / "empty.zip"))
    path = zipped(tmp_path / "x.zip", **{"r.csv": TEXT * 100})
    content = bytearray(path.read_bytes())
    content[45] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.zip/r\.csv cannot be read"), find_file(path).open() as stream:
        stream.read()


def test_missing_files(tmp_path):
    (tmp_path / "ratings.csv").write_bytes(TEXT)
    with pytest.raises(DataError, match=r"there is no file .*rating\.csv; hint: did you mean ratings\.csv\?"):
        find_file(tmp_path / "rating.csv")
    with pytest.raises(DataError, match=r"no file .*ratings\.dat; hint: did you mean ratings\.csv\?"):
        find_file(tmp_path / "ratings.dat")
    with pytest.raises(DataError, match=r"no file .*nope\.csv; hint: check the path"):
        find_file(tmp_path / "nope.csv")
    with pytest.raises(DataError, match=r"no file .*; hint: check the path"):
        find_file(tmp_path / "no" / "such.csv")
    with pytest.raises(DataError, match="is a folder where a file is needed"):
        find_file(tmp_path)


def test_a_file_that_goes_away(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_bytes(TEXT)
    file = find_file(path)
    os.unlink(path)
    with pytest.raises(DataError, match="there is no file"), file.open():
        pass


def test_binary_content(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_bytes(b"\x89PNG\0\0")
    with pytest.raises(DataError, match=r"is not a text file; allowed: CSV, TSV"):
        find_file(path).encodings()


WORDS = "Größe, naïve"


@pytest.mark.parametrize(
    ("encoding", "tried"),
    [
        ("utf-8", ("utf-8-sig", "latin-1")),
        ("utf-8-sig", ("utf-8-sig", "latin-1")),
        ("latin-1", ("utf-8-sig", "latin-1")),
        ("utf-16", ("utf-16",)),
    ],
)
def test_text_is_read_in_the_encoding_that_its_bytes_show(tmp_path, encoding, tried):
    path = tmp_path / "words.csv"
    path.write_bytes(f"{WORDS}\r\n".encode(encoding))
    assert decoded(path.read_bytes()) == f"{WORDS}\r\n"
    file = find_file(path)
    assert file.encodings() == tried
    right = "latin-1" if encoding == "latin-1" else tried[0]
    with file.open_text(right) as text:
        assert text.read() == f"{WORDS}\r\n", "line ends as they are"
    if encoding == "latin-1":
        with pytest.raises(UnicodeDecodeError), file.open_text("utf-8-sig") as text:
            text.read()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_in_utf_8_comes_back(text):
    assert decoded(text.encode("utf-8-sig")) == text


def test_a_zip_that_is_damaged_throughout(tmp_path):
    path = zipped(tmp_path / "x.zip", **{"r.csv": TEXT})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 1] ^= 0xFF  # the list of its members
    path.write_bytes(content)
    with pytest.raises(
        DataError, match=r"x\.zip cannot be read \(.*\); allowed: a readable file.*fetch it again"
    ):
        find_file(path)


def test_of_several_tables_in_a_zip_the_ratings_are_meant(tmp_path):
    path = zipped(
        tmp_path / "ml.zip", **{"ml/movies.csv": "x", "ml/Ratings.csv.gz": gzip.compress(TEXT), "README": ""}
    )
    file = find_file(path)
    assert (file.member, file.suffix) == ("ml/Ratings.csv.gz", ".csv")
    with file.open() as stream:
        assert stream.read() == TEXT, "what is compressed in a zip is unpacked too"
    two = zipped(tmp_path / "two.zip", **{"ratings.csv": TEXT, "reviews.csv": TEXT})
    with pytest.raises(DataError, match="does not hold exactly one table"):
        find_file(two)


def test_excel_and_others_are_named_with_a_remedy(tmp_path):
    book = zipped(tmp_path / "r.xlsx", **{"[Content_Types].xml": "", "xl/workbook.xml": ""})
    with pytest.raises(
        DataError, match=r"r\.xlsx is an Excel workbook, not a text file; hint: save .* CSV UTF-8"
    ):
        find_file(book)
    for content, match in (
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "is an Excel workbook, not a text file; .*CSV UTF-8"),
        (b"SQLite format 3\0", r"is an SQLite database, .*give --dataset 'sqlite:///.*x\.bin\?query=SELECT"),
        (b"\x89HDF\r\n", "is an HDF5 file"),
        (b"\x93NUMPY\x01", "is a NumPy array"),
        (b"\x80\x04\x95", "is a Python pickle"),
    ):
        (tmp_path / "x.bin").write_bytes(content)
        with pytest.raises(DataError, match=match):
            find_file(tmp_path / "x.bin").encodings()


def test_parquet_is_known_by_its_first_bytes(tmp_path):
    (tmp_path / "x.bin").write_bytes(b"PAR1...")
    assert find_file(tmp_path / "x.bin").is_parquet
    (tmp_path / "x.pq").write_bytes(b"damaged")
    assert find_file(tmp_path / "x.pq").is_parquet
    (tmp_path / "x.csv").write_bytes(TEXT)
    assert not find_file(tmp_path / "x.csv").is_parquet


@pytest.mark.parametrize(("byte", "is_windows"), [(b"\x92", True), (b"\xe9", False), (b"a", False)])
def test_windows_text_has_letters_where_latin_1_has_none(tmp_path, byte, is_windows):
    (tmp_path / "x.csv").write_bytes(b"a" * 2**20 + byte)
    assert find_file(tmp_path / "x.csv").has_windows_text() is is_windows
