"""From requests to changes, without the wire."""

import pytest

from igmc.config import ServeConfig
from igmc.errors import DataError
from igmc.live import Draft, LiveRatings
from igmc.web import live_schemas
from igmc.web.ledger import Ledger
from tests.inference.small import GRAPH, make_scorer, predictor_of


@pytest.fixture
def ledger(tmp_path):
    with LiveRatings(predictor_of(GRAPH, make_scorer()), str(tmp_path / "a.db")) as live:
        yield Ledger(live, ServeConfig())


def test_an_id_in_an_address_is_a_number_where_the_data_have_numbers(ledger):
    assert [ledger.user(text) for text in ("7", "70", "-1")] == [7, 70, -1]
    for text, match in (
        (str(2**63), "are whole"),
        ("x", "item ids of this run are whole numbers"),
        ("07", "are whole"),
    ):
        with pytest.raises(DataError, match=match):
            ledger.item(text)


def test_what_another_process_has_stored_just_now_may_be_rated(ledger):
    with LiveRatings(ledger.live.predictor, ledger.live.store) as other:
        item = Ledger(other, ledger.limits).describe(101, live_schemas.Described(title="new"))
        other.write(ledger.change([item], None, None)).result(10)
    asked = live_schemas.UserRatings(ratings=[live_schemas.StoredRating(item_id=101, rating=3.0, time=5)])
    assert ledger.rate(99, asked) == (Draft("rate", 99, 101, 3.0, 5),)


def test_digests_tell_requests_apart(ledger):
    rating = live_schemas.StoredRating(item_id=1, rating=3.0)
    asked = live_schemas.UserRatings(ratings=[rating])
    digests = {
        ledger.change([], "key", body, *where).digest
        for body, where in [
            (asked, ("PUT", 7)),
            (asked, ("PUT", "7")),
            (None, ("PUT", 7)),
            (None, ("DELETE", 7)),
        ]
    }
    assert len(digests) == 4
    assert ledger.change([], None, asked).digest == ""
    # The time that is put in where none was given makes no difference.
    first, second = (ledger.change(ledger.rate(7, asked), "key", asked, "PUT", 7) for _ in range(2))
    assert first.digest == second.digest
