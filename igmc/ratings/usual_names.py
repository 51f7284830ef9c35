"""What columns of ratings are usually called."""

from __future__ import annotations

__all__ = ["INFO", "USUAL", "plain_name"]

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

# What is known of users and items besides ratings -> how its column may be called, the likeliest first.
INFO: dict[str, dict[str, tuple[str, ...]]] = {
    "user": {
        "age": ("age",),
        "gender": ("gender", "sex"),
        "occupation": ("occupation", "job"),
        "zip_code": ("zipcode", "zip", "postcode"),
    },
    "item": {
        "title": ("title", "movietitle", "booktitle", "name", "itemname", "productname", "originaltitle"),
        "genres": ("genres", "genre", "categories", "category", "class"),
        "year": (
            *("year", "releaseyear", "originalpublicationyear", "publicationyear", "yearofpublication"),
            "releasedate",
        ),
        "text": ("text", "description", "overview", "plot", "summary"),
    },
}


def plain_name(name: object) -> str:
    """A name in the form in which `USUAL` has it.

    >>> plain_name("User_ID")
    'userid'
    """
    return "".join(c for c in str(name).lower() if c.isalnum())
