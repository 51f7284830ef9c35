import pytest

from igmc.errors import DataError
from igmc.ratings.readers.files import find_file
from igmc.ratings.readers.layout import text_layout


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
        DataError, match=r"x\.csv is empty; allowed: at least one rating; to mend it: check the file"
    ):
        text_layout(find_file(path), None, "utf-8")
