"""The description of a data set as a page for people and as JSON for programs."""

import json

from igmc.ratings.description.measure import describe


def test_the_page_for_people_and_the_one_for_programs(toy):
    page = describe(toy)
    text = page.format()
    for line in (
        "toy: 10 ratings of 5 users for 5 items, density 40.000%",
        "without any rating: 1 users, 1 items",
        "official splits: u1",
        "  5           3   30.0%  ########################################",
        "  item title                 2 of 5",
        "time: 1970-01-01T00:00:00 to 1971-02-05T00:00:00 (UTC), known of 70.0% of the ratings",
    ):
        assert line in text.splitlines()
    values = page.to_dict()
    assert values == json.loads(json.dumps(values, allow_nan=False))
    assert values["users"]["activity"]["median"] == 2.5
    assert values["time"]["years"] == {"1970": 6, "1971": 1}
