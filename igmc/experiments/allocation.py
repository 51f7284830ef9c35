"""Which arm of an experiment somebody sees: the same one always, in every process, after every restart."""

from __future__ import annotations

import hashlib
import json
import string
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate

from igmc.errors import ConfigError
from igmc.ratings import RawId

__all__ = ["NAMES", "Allocation", "subject_of"]

NAMES = string.ascii_uppercase  # of arms, in order


def subject_of(user: RawId | None, ratings: Mapping[RawId, float] | None) -> str:
    r"""What decides on the arm: the id if there is one, else the ratings, in any order.

    >>> subject_of(7, None), subject_of("7", {3: 5.0}), subject_of(None, {3: 5, "a": 1.0})
    ('7', '"7"', '[["\\"a\\"", 1.0], ["3", 5.0]]')
    """
    if user is not None:
        return json.dumps(user)
    return json.dumps(sorted((json.dumps(item), float(given)) for item, given in (ratings or {}).items()))


class Allocation:
    """Shares of users, and the arm of each.

    The arms have intervals between 0 and 1, in order, and the SHA-256 digest of a subject is its place there.
    So when the share of the last arm grows, everyone who saw it continues to see it.

    Args:
        shares: percentages of users, 0..100, for all arms, or for all but the last, which gets the rest.
        count: number of arms, 1..26.

    Raises:
        ConfigError: on shares that do not fit the arms.
    """

    def __init__(self, shares: Sequence[float], count: int) -> None:
        if not 1 <= count <= len(NAMES):
            raise ConfigError("too many runs to compare", got=count, allowed=f"at most {len(NAMES)}")
        given = list(shares) or [100 / count] * count
        if len(given) == count - 1:
            given.append(100 - sum(given))
        in_range = all(0 <= share <= 100 for share in given)
        if len(given) != count or not in_range or abs(sum(given) - 100) > 1e-6:
            raise ConfigError(
                "these shares of users do not fit the runs",
                got=", ".join(f"{share:g}" for share in shares),
                allowed=f"a percentage for each of {count} runs, together 100, or for all but the last",
            )
        self.shares = tuple(given)
        self._ends = [end / 100 for end in accumulate(given[:-1])]

    def arm(self, subject: str) -> int:
        """The number of the arm of a subject, from 0."""
        digest = hashlib.sha256(subject.encode("utf-8", "surrogatepass")).digest()
        return bisect_right(self._ends, int.from_bytes(digest[:7]) / 2**56)
