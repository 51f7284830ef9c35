"""Cells about items, as exports write them."""

import numpy as np
import pandas as pd
import pytest

from igmc.ratings.info_cells import genres, word, year, year_of_title


@pytest.mark.parametrize("cell", [None, np.nan, pd.NA, pd.NaT, "", "  ", "nan", "None"])
def test_what_is_missing_is_empty(cell):
    assert (word(cell), genres(cell), year(cell)) == ("", "", None)


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("Drama|War", "Drama|War"),
        ("Drama ; War;", "Drama|War"),
        ("Sci-Fi, War", "Sci-Fi|War"),
        ("(no genres listed)", ""),
        (["Drama", None, "War"], "Drama|War"),
        (np.array(["Drama", "War"]), "Drama|War"),
        ([["Toys", "Games"], ["Toys"]], "Toys|Games"),
        (("a, b",), "a|b"),
    ],
)
def test_genres_of_any_form_are_separated_alike(cell, found):
    assert genres(cell) == found


def test_years_of_numbers_dates_and_titles():
    assert [year(c) for c in (1979, 1979.0, pd.Timestamp("2001-02-03"), "3 May 1895", 79)] == [
        *(1979, 1979, 2001, 1895),
        None,
    ]
    assert [year_of_title(t) for t in ("A (1994)", "B (2001-)", "C (1990\u20131992)", "1984", "D (12)")] == [
        *(1994, 2001, 1990),
        *(None, None),
    ]
