"""Entries laid over a predictor, against the same entries applied by hand."""

import numpy as np
import pytest

from igmc.errors import DataError
from igmc.live.applying import applied
from igmc.live.entries import Entry
from tests.inference.small import GRAPH, make_scorer, predictor_of


@pytest.fixture(scope="module")
def small():
    return predictor_of(GRAPH, make_scorer())


def entries(*drafts, first=1):
    """(kind, user, item, rating) or (kind, item, about)."""
    found = []
    for position, (kind, *rest) in enumerate(drafts, start=first):
        user, item, rating, about = *(*rest, None, None, None)[:3], None
        if kind == "item":
            user, item, rating, about = None, rest[0], None, rest[1]
        found.append(Entry(position, kind, user, item, rating, None, about))
    return found


def known(predictor) -> dict:
    """(user, item) -> rating of all that a predictor knows."""
    values, users, items = predictor.scale.values, predictor.users.ids, predictor.items.ids
    return {
        (users[user], items[item]): float(values[level])
        for user in range(predictor.graph.n_users)
        for item, level in zip(*(part.tolist() for part in predictor.graph.by_user.row(user)), strict=True)
    }


def drawn(rng, count):
    """Entries of all kinds, of known and new users and items."""
    drafts = []
    for _ in range(count):
        user, item = int(rng.integers(25)), int(rng.integers(18))
        kind = str(rng.choice(["rate", "rate", "rate", "delete", "erase"]))
        drafts.append(
            {"rate": (kind, user, item, float(rng.integers(1, 6))), "delete": (kind, user, item)}.get(
                kind, (kind, user)
            )
        )
    return entries(*drafts)


def by_hand(ratings, log):
    ratings = dict(ratings)
    for entry in log:
        if entry.kind == "erase":
            ratings = {pair: rating for pair, rating in ratings.items() if pair[0] != entry.user}
        elif entry.kind == "rate":
            ratings[entry.user, entry.item] = entry.rating
        else:
            ratings.pop((entry.user, entry.item), None)
    return ratings


@pytest.mark.parametrize("seed", range(8))
def test_in_whatever_pieces_they_come_all_is_known_that_counts(small, seed):
    rng = np.random.default_rng(seed)
    log = drawn(rng, 60)
    expected = by_hand(known(small), log)
    assert known(applied(small, log)) == known(applied(small, log, replay=True)) == expected
    found, at = small, 0
    while at < len(log):
        size = int(rng.integers(1, 9))
        found, at = applied(found, log[at : at + size]), at + size
    assert known(found) == expected
    assert known(applied(found, log[-30:])) == expected  # what comes again changes nothing


def test_new_items_have_their_titles_and_others_keep_theirs(small):
    about = '{"title": "The new one", "genres": ["Drama", "War"], "year": 2031}'
    found = applied(
        small, entries(("item", "new", about), ("rate", 3, "other", 4.0), ("item", 2, '{"title": "x"}'))
    )
    place, other = found.items.encode(["new", "other"]).tolist()
    assert (found.info.titles[place], found.info.genres[place], found.info.years[place]) == (
        "The new one",
        "Drama|War",
        2031,
    )
    assert (found.info.titles[other], found.info.titles[2], found.info.titles[3]) == ("", "x", "film 3")
    assert len(found.info.titles) == len(found.items) == found.graph.n_items
    assert len(small.info.titles) == 15


def test_a_rating_off_the_scale_stops_it(small):
    with pytest.raises(DataError, match=r"not on the scale of the run; got 9\.0"):
        applied(small, entries(("rate", 1, 1, 2.0), ("rate", 1, 2, 9.0)))


def test_an_entry_of_a_later_version_stops_it(small):
    with pytest.raises(DataError, match="unknown kind; got 'merge'"):
        applied(small, entries(("merge", 1)))


def test_the_neighbours_network_answers_on_what_was_applied(neighbours):
    """One by one or at once: about the same answers, and other ones than before."""
    log = entries(
        *[("rate", "new", item, 1.0 if item < 515 else 5.0) for item in range(500, 525)],
        ("delete", 100, 501),
        ("erase", 101),
        ("rate", 102, "fresh", 5.0),
    )
    one = neighbours
    for entry in log:
        one = applied(one, [entry])
    whole = applied(neighbours, log)
    users, items = ["new"] * 5 + [100] * 5, [525, 526, 527, 528, "fresh"] * 2
    found = [predictor.predict(users, items)["score"].to_numpy() for predictor in (one, whole)]
    assert found[0] == pytest.approx(found[1], abs=0.15)
    assert (whole.predict(users, items)["source"] == "model").sum() >= 8
    before = neighbours.predict(["new"], [525])
    assert before["source"].tolist() == ["item mean"]
    assert one.graph.by_user.row(int(one.users.encode([101])[0]))[0].tolist() == []
    erased = one.score_user({525: 5}, [526], user_id=101)
    newcomer = one.score_user({525: 5}, [526])
    assert erased["score"].tolist() == pytest.approx(newcomer["score"].tolist(), abs=0.05)
