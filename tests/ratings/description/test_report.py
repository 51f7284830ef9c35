"""The description of a data set as a page for people and as JSON for programs."""

import json
from dataclasses import fields, replace

from igmc.ratings.dataset import Dataset, ReadReport
from igmc.ratings.description.measure import describe
from igmc.ratings.description.report import Bin, Extreme, Fence
from igmc.ratings.table import RatingTable


def test_the_page_for_people_and_the_one_for_programs(toy):
    page = describe(toy)
    text = page.format()
    for line in (
        "toy: 10 ratings of 5 users for 5 items, density 40.000%",
        "without any rating: 1 users, 1 items",
        "official splits: u1",
        "  5           3   30.0%  ########################################",
        "  item title                 2 of 5",
        "time: 1969-03-07T00:00:00 to 1971-02-05T00:00:00 (UTC), known of 70.0% of the ratings",
    ):
        assert line in text.splitlines()
    values = page.to_dict()
    assert values == json.loads(json.dumps(values, allow_nan=False))
    assert values["users"]["activity"]["median"] == 2.5
    assert values["time"]["years"] == {"1969": 1, "1970": 5, "1971": 1}


def lines_of(dataset) -> list[str]:
    return describe(dataset).format().splitlines()


def test_the_page_leaves_out_what_is_not_known(toy):
    t = toy.table
    bare = Dataset("bare", RatingTable(t.users, t.items, t.user, t.item, t.rating), ReadReport("made", 10))
    page = describe(bare).format()
    assert "made; no duplicates" in page
    for word in ("official splits", "stated scale", "time:", "genre"):
        assert word not in page
        assert word in describe(toy).format()
    assert "  timestamp                 10 of 10" in page
    for side in ("users", "items"):
        assert f"  nothing besides ratings is known of {side}" in page
        assert f"nothing besides ratings is known of {side}" not in describe(toy).format()


def test_the_histogram_has_its_longest_bar_at_the_most_frequent_rating(toy):
    bars = {line.split()[0]: line.count("#") for line in lines_of(toy) if "%" in line and "#" in line}
    assert bars == {"1": 27, "2": 40, "3": 13, "4": 13, "5": 40}, "2, 3, 1, 1 and 3 ratings"


def test_bins_of_many_values_are_ranges_and_large_numbers_have_commas(toy):
    t = toy.table
    rating = [-1000.0, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000]
    many = describe(replace(toy, table=RatingTable(t.users, t.items, t.user, t.item, rating)))
    line = next(line for line in many.format().splitlines() if line.startswith("rating: "))
    assert line.startswith("rating: -1000 to 10000, 10 distinct values, mean 5300.000, standard deviation 32")
    assert line.endswith(", median 5500")
    ranges = replace(many, rating=replace(many.rating, bins=(Bin(0.0, 0.5, 4), Bin(0.5, 1.0, 6))))
    assert "  0.5 to 1           6   60.0%  " + "#" * 40 in ranges.format().splitlines()
    far = Fence(-2.0, 1234.5, 0, 2, (Extreme("x", 98_765.0), Extreme(7, 2000.0)))
    users = replace(many.users, activity_fence=far)
    assert (
        "  users, log of ratings  0 below -2, 2 above 1,234; farthest: x (98,765), 7 (2,000)"
        in replace(many, users=users).format().splitlines()
    )


def test_genres_stand_in_columns_with_their_shares(toy):
    page = describe(toy)
    genres = (replace(page.genres[0], name="Sixteen letters!"), page.genres[1])
    first, second, note = replace(page, genres=genres).format().splitlines()[-3:]
    assert first.partition("Sixteen letters!")[2].split() == ["3", "60.0%", "7", "70.0%"]
    assert second.split() == ["B", "2", "40.0%", "5", "50.0%"]
    assert note == "  (an item with several genres counts for each)"
    assert [first.index(cell) for cell in ("60.0%", "70.0%")] == [
        second.index(cell) for cell in ("40.0%", "50.0%")
    ]


def test_json_names_every_number_of_the_page(toy):
    page = describe(toy)
    values = page.to_dict()
    assert set(values) == {field.name for field in fields(page)}
    assert values["missing"][0] == {"column": "user age", "missing": 2, "of": 5}
    assert values["genres"][0]["name"] == "A"
    assert values["users"]["mean_fence"] is None
    assert values["items"]["total"] == 5
