import pytest

from igmc.errors import ConfigError, DataError
from igmc.ratings.readers.files import find_file
from igmc.ratings.readers.layout import BLANKS, TextOptions, pick_separator, text_layout


def test_position_out_of_range(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text("\n1\t2\t3\n")
    with pytest.raises(DataError, match=r"x\.tsv, line 2: .* got 'position 4'; allowed: 1\.\.3, .*'\\t'"):
        text_layout(find_file(path), ("1", "2", "3", "4"), "utf-8")
    assert text_layout(find_file(path), ("2", "1", "3"), "utf-8").user == 1


def test_digits_that_are_no_positions_are_names(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("0,1,2\na,b,3\n")
    layout = text_layout(find_file(path), ("0", "1", "2"), "utf-8")
    assert (layout.skip, layout.user, layout.rating) == (1, 0, 2)


@pytest.mark.parametrize("delimiter", ["::", "\t", ",", ";", "|"])
def test_the_delimiter_is_the_one_that_stands_in_the_first_line(tmp_path, delimiter):
    path = tmp_path / "x.txt"
    path.write_text("\n  \n" + delimiter.join(["when", "item", "user", "rating"]) + "\n")
    layout = text_layout(find_file(path), ("user", "item", "rating"), "utf-8")
    assert (layout.delimiter, layout.fields) == (delimiter, 4)
    assert (layout.user, layout.item, layout.rating, layout.timestamp) == (2, 1, 3, None)
    assert (layout.skip, layout.blank) == (3, 2)
    layout = text_layout(find_file(path), ("1", "2", "4", "3"), "utf-8", fields=9)
    assert (layout.fields, layout.user, layout.timestamp, layout.skip) == (9, 0, 2, 2), "no header to skip"


def test_a_delimiter_within_quotes_parts_nothing(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text('"user, the",item,rating\n')
    layout = text_layout(find_file(path), ("user, the", "item", "rating"), "utf-8")
    assert (layout.delimiter, layout.fields, layout.user) == (",", 3, 0)


def test_an_empty_file_has_no_layout(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("\n \n\n")
    with pytest.raises(
        DataError, match=r"x\.csv is empty; allowed: at least one rating; hint: check the file"
    ):
        text_layout(find_file(path), None, "utf-8")


def layout_of(tmp_path, content, columns=None, **said):
    path = tmp_path / "x.csv"
    path.write_text(content)
    return text_layout(find_file(path), columns, "utf-8", options=TextOptions(**said))


def test_what_cuts_most_lines_alike_is_the_delimiter(tmp_path):
    content = "1\t10\t4\tA, b, c, d, e\n2\t20\t3\tF\n"
    assert layout_of(tmp_path, content, ("1", "2", "3")).delimiter == "\t"
    content = "user id,item id,rating\n1,10,4\n"
    assert layout_of(tmp_path, content, ("user id", "item id", "rating")).delimiter == ","
    assert layout_of(tmp_path, "1 2 3,5\n1 3 4,5\n", ("1", "2", "3")).delimiter == BLANKS


def test_a_header_of_numbers_is_told_from_a_rating(tmp_path):
    columns = ("1", "2", "3")
    assert layout_of(tmp_path, "0,1,2\nu1,i1,3\n", columns).skip == 1
    assert layout_of(tmp_path, "0,1,2,3\n5,6,3,978300760\n", (*columns, "4")).skip == 1
    assert layout_of(tmp_path, "1,2,4\n5,6,3\n", columns).skip == 0
    with pytest.raises(
        DataError, match=r"line 1: this may be a header of numbers, .*; got '0,1,2'; .*--no-header"
    ):
        layout_of(tmp_path, "0,1,2\n5,6,3\n", columns)
    assert layout_of(tmp_path, "0,1,2\n5,6,3\n", columns, header=False).skip == 0
    assert layout_of(tmp_path, "0,1,2\n5,6,3\n", columns, header=True).skip == 1
    layout = layout_of(tmp_path, "3,2,1\n5,6,4\n", columns, header=True)
    assert (layout.skip, layout.user, layout.rating) == (1, 2, 0), "names first"
    with pytest.raises(DataError, match="without a header needs the positions of its columns"):
        layout_of(tmp_path, "user,item,rating\n1,2,3\n", header=False)


@pytest.mark.parametrize("text", ["", '"', "a\n"])
def test_what_cannot_separate(text):
    with pytest.raises(ConfigError, match="--separator cannot separate fields"):
        pick_separator(text)
