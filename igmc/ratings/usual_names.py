"""What columns of ratings are usually called."""

from __future__ import annotations

__all__ = ["USUAL", "plain_name"]

# In small letters and without what is neither letter nor digit.
USUAL: dict[str, tuple[str, ...]] = {
    "user": ("user", "userid", "uid", "reviewerid", "customerid"),
    "item": (
        *("item", "itemid", "iid", "movie", "movieid", "book", "bookid", "product", "productid"),
        *("asin", "isbn"),
    ),
    "rating": ("rating", "ratings", "score", "stars", "overall", "bookrating"),
    "timestamp": ("timestamp", "time", "ts", "unixreviewtime", "date", "datetime", "ratedat", "createdat"),
}


def plain_name(name: object) -> str:
    """A name in the form in which `USUAL` has it.

    >>> plain_name("User_ID")
    'userid'
    """
    return "".join(c for c in str(name).lower() if c.isalnum())
