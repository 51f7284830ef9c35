"""Ratings from JSON, one object per line or one array."""

import gzip
import json
import zipfile

import pytest

from igmc.config import DataConfig
from igmc.errors import ConfigError, DataError
from igmc.ratings.load import load_dataset

AMAZON = [
    {
        "reviewerID": "A2",
        "asin": "0000013714",
        "overall": 4.0,
        "unixReviewTime": 1252800000,
        "reviewText": "a\nb",
    },
    {"reviewerID": "A7", "asin": "B0002", "overall": 5.0, "unixReviewTime": 1252886400},
]
LINES = "".join(json.dumps(one) + "\n" for one in AMAZON)


def load(tmp_path, content, name="reviews.json", **settings):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_dataset(DataConfig(dataset=str(path), **settings))


@pytest.mark.parametrize(
    "content",
    [LINES, LINES.replace("\n", "\n\n"), "\ufeff" + LINES, json.dumps(AMAZON, indent=1), json.dumps(AMAZON)],
)
@pytest.mark.parametrize("name", ["reviews.json", "reviews.jsonl", "reviews.txt"])
def test_amazons_reviews(tmp_path, content, name):
    data = load(tmp_path, content, name)
    assert (data.table.users.ids, data.table.items.ids) == (("A2", "A7"), ("0000013714", "B0002"))
    assert (data.table.rating.tolist(), data.table.timestamp.tolist()) == ([4, 5], [1252800000, 1252886400])


def test_compressed(tmp_path):
    assert len(load(tmp_path, gzip.compress(LINES.encode()), "reviews.json.gz").table) == 2
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("reviews.json.gz", gzip.compress(LINES.encode()))
        archive.writestr("meta.json", "{}")
    data = load_dataset(str(tmp_path / "all.zip"))
    assert (data.name, len(data.table)) == ("reviews", 2)


def test_members_are_named_also_those_within(tmp_path):
    lines = "".join(
        json.dumps({"who": {"id": k}, "a.b": "x" + str(k), "stars": str(k), "when": "2004-03-15"}) + "\n"
        for k in (1, 2)
    )
    data = load(tmp_path, lines, columns="who.id,a.b,stars,when")
    assert (data.table.users.ids, data.table.items.ids) == ((1, 2), ("x1", "x2"))
    assert (data.table.rating.tolist(), data.table.timestamp.tolist()) == ([1, 2], [1079308800] * 2)
    with pytest.raises(DataError, match=r"line 1: the user is missing"):
        load(tmp_path, lines, columns="who.name,a.b,stars")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (LINES + '{"reviewerID": "A8"}\n', r"reviews\.json, line 3: the item is missing"),
        (LINES + "{'reviewerID': 'A8'}\n", r"line 3: it is not JSON \(.*column 2\).*between double quotes"),
        (LINES + "[1]\n", r"line 3: it is not a JSON object; got \[1\]"),
        (LINES.replace("4.0", "null"), "line 1: the rating is missing"),
        ("[1, 2]", "object 1: it is not a JSON object"),
        ('[{"a": 1},\n]', r"line 2: it is not JSON"),
        ("", "is empty"),
        ("[]", "is empty"),
        (
            '{"u": 1}\n',
            "line 1: cannot find the columns of user, item and rating by name; got 'u'",
        ),
        (LINES.encode("utf-16-be").replace(b"\0", b"\xff"), r"is not UTF-8 text .*--encoding"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, content, match):
    with pytest.raises(DataError, match=match):
        load(tmp_path, content)


def test_settings_of_text_do_not_apply(tmp_path):
    with pytest.raises(ConfigError, match="members of JSON have names; got '1,2,3'"):
        load(tmp_path, LINES, columns="1,2,3")
    with pytest.raises(ConfigError, match=r"--separator does not apply to JSON; got ';'; .*omit --separator"):
        load(tmp_path, LINES, separator=";")
