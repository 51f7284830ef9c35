"""Titles as people say them."""

import pytest

from igmc.inference.titles import natural_title


@pytest.mark.parametrize(
    ("title", "natural"),
    [
        ("Wrong Trousers, The (1993)", "The Wrong Trousers"),
        ("Close Shave, A (1995)", "A Close Shave"),
        ("Avventura, L' (L'avventura) (1960)", "L'Avventura"),
        ("Silence of the Palace, The (Saimt el Qusur) (1994)", "The Silence of the Palace"),
        ("City of Lost Children, The (Cité des enfants perdus, La) (1995)", "The City of Lost Children"),
        ("Postman (Postino, Il)", "Postman"),
        ("Seven (a.k.a. Se7en) (1995)", "Seven"),
        ("Land Before Time III (1995) (V)", "Land Before Time III"),
        ("Star Wars (Special Edition) (1997)", "Star Wars (Special Edition)"),
        ("Sex, Lies, and Videotape (1989)", "Sex, Lies, and Videotape"),
        ("Paris, France (1993)", "Paris, France"),
        ("2001: A Space Odyssey (1968)", "2001: A Space Odyssey"),
        ("1984", "1984"),
        ("(1984)", "(1984)"),
        ("  ", ""),
    ],
)
def test_the_article_is_in_front_and_the_year_gone(title, natural):
    assert natural_title(title) == natural


def test_the_year_stays_if_that_is_asked():
    assert natural_title("Wrong Trousers, The (1993)", year=True) == "The Wrong Trousers (1993)"
    assert natural_title("(1984)", year=True) == "(1984)"
    assert natural_title("Alien", year=True) == "Alien"
