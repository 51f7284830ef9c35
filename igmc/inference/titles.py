"""Titles in natural word order: catalogues list "Wrong Trousers, The (1993)" under W."""

from __future__ import annotations

import re

__all__ = ["natural_title"]

_ARTICLES = (
    *("The", "A", "An", "Le", "La", "Les", "L'", "Un", "Une", "El", "Los", "Las", "Il", "Lo", "Gli"),
    *("Der", "Die", "Das", "Ein", "Eine", "De", "Det", "Den", "Het", "Os", "O"),
)
_ARTICLE = re.compile(rf"^(.+), ({'|'.join(_ARTICLES)})(?:\s*\([^()]*\))*$", re.IGNORECASE)
_YEAR = re.compile(r"\s*\(((?:1[89]|20)\d\d)\)(?:\s*\([A-Z]{1,2}\))?\s*$")  # and (V), (TV) behind it
_OTHER = re.compile(r"\s*\(([^()]*)\)$")


def natural_title(title: str, *, year: bool = False) -> str:
    """A title with its article in front, without its year and alternative titles.

    A name in brackets is an alternative title if it or the name before it has its article at the end, or if
    it begins with "a.k.a."; other words in brackets are kept.

    Args:
        title: as written in the data.
        year: keep the year.

    >>> natural_title("Wrong Trousers, The (1993)"), natural_title("Postino, Il (1994)", year=True)
    ('The Wrong Trousers', 'Il Postino (1994)')
    >>> natural_title("City of Lost Children, The (Cité des enfants perdus, La) (1995)")
    'The City of Lost Children'
    >>> natural_title("Dr. No (Uncut)"), natural_title("2001"), natural_title("Me, Myself & I, A")
    ('Dr. No (Uncut)', '2001', 'A Me, Myself & I')
    """
    text = title.strip()
    found = _YEAR.search(text)
    plain = text[: found.start()].strip() if found else text
    while (other := _OTHER.search(plain)) and _same(other[1]):
        plain = plain[: other.start()].strip()
    turned = _ARTICLE.match(plain)
    if turned:
        plain = f"{turned[2]}{'' if turned[2].endswith(chr(39)) else ' '}{turned[1]}"
    plain = plain or text
    return f"{plain} ({found[1]})" if year and found and plain != text else plain


def _same(words: str) -> bool:
    return words.casefold().startswith(("a.k.a", "aka ")) or _ARTICLE.match(words) is not None
