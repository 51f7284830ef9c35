"""A store, and answers of two arms and a shadow, small enough to work out by hand."""

from igmc.experiments.answers import SHADOW, Answer
from igmc.live import Change, Draft, RatingLog

KEY = "k" * 16


def answer(number, arm, user, position, items, kind="list", **more):
    time = f"2026-01-01T00:{number // 60:02d}:{number % 60:02d}.000+00:00"
    return Answer(time, f"{number:016x}", kind, arm, user, position, tuple(items), **more)


def rate(user, item, rating):
    return Draft("rate", user, item, float(rating), 0)


def fill(path, *drafts):
    """Store some entries, from place 1 on."""
    with RatingLog(str(path)) as log:
        log.bind([1.0, 2.0, 3.0, 4.0, 5.0])
        log.append([Change((draft,)) for draft in drafts])
    return str(path)


ENTRIES = (
    rate(1, 10, 5),  # 1
    rate(2, 20, 2),  # 2
    rate(1, 11, 4),  # 3
    rate(2, 21, 1),  # 4
    rate(1, 12, 3),  # 5
    Draft("delete", 1, 12),  # 6
    rate(2, 20, 4),  # 7
    rate(3, 30, 5),  # 8
    Draft("erase", 4),  # 9
    rate(4, 40, 5),  # 10
)
ANSWERS = (
    # User 1: 10 was rated before; 11 is rated afterwards; 12 too, but that rating is taken back.
    answer(1, "A", 1, 1, [(10, 4.0), (11, 3.0), (12, 2.0)]),
    answer(2, "A", 1, 2, [(11, 3.5), (13, 4.5)]),
    answer(3, "A", 1, 4, [(11, 1.0), (14, 1.0)], "scores"),  # too late for 11
    answer(12, "A", 1, 4, [(11, 1.0)]),  # as by a server that lags behind
    # User 2: 20 was rated before, and again afterwards, which counts; 21 was only predicted.
    answer(4, "B", 2, 3, [(20, 3.0), (22, 5.0)]),
    answer(5, "B", 2, 3, [(21, 2.0)], "explanation"),
    answer(6, "B", 2, 8, [(20, 1.0)], "worst"),
    # These do not count.
    answer(7, "A", 3, 0, [(30, 5.0)]),
    answer(8, "B", 3, 0, [(30, 5.0)]),
    answer(9, "B", 4, 8, [(40, 5.0)]),
    answer(10, "A", None, 8, [(10, 5.0)]),
    answer(11, "A", 5, None, [(10, 5.0)]),
)
SHADOWS = (
    answer(1, SHADOW, 1, 1, [(11, 5.0), (19, 4.0)], scored=((10, 1.0), (11, 5.0), (12, 1.0))),
    answer(5, SHADOW, 2, 3, [(21, 1.5)], "explanation"),
    answer(10, SHADOW, None, 8, [(10, 5.0)]),
)
