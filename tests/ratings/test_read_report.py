"""A line that tells what a reader met."""

from igmc.ratings.read_report import ReadReport


def test_only_what_happened_is_told():
    assert str(ReadReport("a.csv", 7)) == "7 ratings read from a.csv"
    assert str(ReadReport("a.csv", 7, encoding="utf-8")) == "7 ratings read from a.csv"
    full = ReadReport("a.csv", 7, 2, 1, "mean", "latin-1", ("decimal commas", "ratings are 1, 2"))
    assert str(full) == (
        "7 ratings read from a.csv; text is latin-1; 2 blank lines skipped; "
        "1 duplicates of a (user, item) pair merged: ratings averaged; decimal commas; ratings are 1, 2"
    )
    assert "the last in the file kept" in str(ReadReport("a.csv", 7, duplicates=1))
