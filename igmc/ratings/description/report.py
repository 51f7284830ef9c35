"""The description of a data set, as numbers and as a page; `igmc.ratings.description.measure` fills it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from igmc.short_repr import short_repr

__all__ = [
    *("FENCE", "JUDGED", "TOP", "Bin", "Description", "Extreme", "Fence", "Gap", "Genre", "RatingSummary"),
    *("SideSummary", "Summary", "TimeSpan"),
]

FENCE = 1.5  # interquartile ranges from the quartiles to Tukey's fences
JUDGED = 5  # ratings from which on the mean of a user or item says something
TOP = 0.2  # the share of most active users, or of most popular items, whose ratings are counted
_BAR = 40  # characters of the longest bar of a histogram


@dataclass(frozen=True)
class Summary:
    """n numbers: least, quartiles, 95% quantile (linear between values), greatest, mean."""

    least: float
    lower_quartile: float
    median: float
    upper_quartile: float
    quantile_95: float
    greatest: float
    mean: float


@dataclass(frozen=True)
class Bin:
    """How many ratings r have ``low <= r < high`` (in the last bin also r = high), or all are low = high."""

    low: float
    high: float
    count: int


@dataclass(frozen=True)
class RatingSummary:
    """The ratings themselves.

    Attributes:
        scale: what is stated about them, such as "1..5 in steps of 1"; None if nothing is.
        distinct: number of levels; see `igmc.ratings.scale.distinct`.
        deviation: standard deviation, with n in the denominator.
        summary: of all ratings.
        bins: the histogram; see `igmc.ratings.description.measure.rating_bins`.
    """

    scale: str | None
    distinct: int
    deviation: float
    summary: Summary
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class Extreme:
    """A user or item far out: its raw id, and its number of ratings or its mean rating."""

    id: Any
    value: float


@dataclass(frozen=True)
class Fence:
    """Tukey's fences, 1.5 interquartile ranges below the lower and above the upper quartile.

    Attributes:
        low, high: the fences, in the unit of the values.
        below, above: how many lie beyond.
        extremes: the three farthest beyond, farthest first.
    """

    low: float
    high: float
    below: int
    above: int
    extremes: tuple[Extreme, ...]


@dataclass(frozen=True)
class SideSummary:
    """The users, or the items. All but `total` is of those with a rating.

    Attributes:
        total: ids, with and without a rating.
        rated: those with a rating.
        once: those with one rating only.
        activity: ratings of each.
        gini: Gini coefficient of these numbers, 0 (all equal) to 1.
        top_share: share of all ratings that the most active 20% (rounded up) have.
        activity_fence: on the logarithm of the number of ratings; given in ratings.
        judged: those with at least 5 ratings.
        mean_fence: on the mean rating of those; None if there are none.
        constant: those of them whose ratings all are one value.
    """

    total: int
    rated: int
    once: int
    activity: Summary
    gini: float
    top_share: float
    activity_fence: Fence
    judged: int
    mean_fence: Fence | None
    constant: int


@dataclass(frozen=True)
class Gap:
    """How many of a column's values are missing."""

    column: str
    missing: int
    of: int


@dataclass(frozen=True)
class TimeSpan:
    """When ratings were given, as far as that is known; times are UTC, ISO 8601.

    Attributes:
        first, last: the earliest and the latest known time.
        known: share of the ratings whose time is known.
        years: ratings in each calendar year that has any, ascending.
    """

    first: str
    last: str
    known: float
    years: dict[int, int]


@dataclass(frozen=True)
class Genre:
    """Items and ratings of a genre, and their shares of all items and of all ratings."""

    name: str
    items: int
    ratings: int
    item_share: float
    rating_share: float


@dataclass(frozen=True)
class Description:
    """What `igmc.ratings.description.measure.describe` finds.

    Attributes:
        name: of the data set.
        report: what the reader met: source, rows, blank lines, duplicates and how they were merged.
        rows, blank_lines, duplicates: of that report, as numbers; rows before duplicates were merged.
        splits: names of the official splits.
        ratings: after duplicates were merged.
        density: ratings / (users * items), of all ids.
        rating: the distribution of the ratings.
        users, items: activity and outliers of either side.
        missing: of each column of what is known of users and items, and of the timestamps.
        time: None if no time is known.
        genres: by ratings, most first; an item with several counts for each. Empty if none is known.
        implicit: whether the ratings, all of them 1, only tell that a user chose an item.
    """

    __repr__ = short_repr
    name: str
    report: str
    rows: int
    blank_lines: int
    duplicates: int
    splits: tuple[str, ...]
    ratings: int
    density: float
    rating: RatingSummary
    users: SideSummary
    items: SideSummary
    missing: tuple[Gap, ...]
    time: TimeSpan | None
    genres: tuple[Genre, ...]
    implicit: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types only."""
        return dict(json.loads(json.dumps(asdict(self), default=str)))

    def format(self) -> str:
        """A page for the terminal."""
        blocks = [
            self._head(),
            [] if self.implicit else self._rating_lines(),
            _activity_lines(self.users, self.items),
            [line for line in _outlier_lines(self.users, self.items) if not (self.implicit and "*" in line)],
            self._missing_lines(),
            self._time_lines(),
            _genre_lines(self.genres),
        ]
        return "\n\n".join("\n".join(lines) for lines in blocks if lines)

    __str__ = format  # noqa: A003

    def _head(self) -> list[str]:
        what = "interactions" if self.implicit else "ratings"
        lines = [
            f"{self.name}: {self.ratings:,} {what} of {self.users.total:,} users for "
            f"{self.items.total:,} items, density {self.density:.3%}",
            self.report + ("" if self.duplicates else "; no duplicates"),
        ]
        lines += [f"official splits: {', '.join(self.splits)}"] if self.splits else []
        idle = [
            f"{side.total - side.rated:,} {name}"
            for name, side in (("users", self.users), ("items", self.items))
            if side.rated < side.total
        ]
        return lines + ([f"without any rating: {', '.join(idle)}"] if idle else [])

    def _rating_lines(self) -> list[str]:
        r, s, most = self.rating, self.rating.summary, max(b.count for b in self.rating.bins)
        labels = [f"{b.low:g}" if b.low == b.high else f"{b.low:.3g} to {b.high:.3g}" for b in r.bins]
        return [
            f"rating: {s.least:g} to {s.greatest:g}, {r.distinct:,} distinct values, mean {s.mean:.3f}, "
            f"standard deviation {r.deviation:.3f}, median {s.median:g}",
            *([f"stated scale: {r.scale}"] if r.scale else []),
            *([f"all are {s.least:g}: read clicks or purchases with --implicit"] if r.distinct == 1 else []),
            *(
                f"  {label:>{max(map(len, labels))}}  {b.count:>10,}  {b.count / self.ratings:6.1%}  "
                f"{'#' * round(_BAR * b.count / most)}".rstrip()
                for label, b in zip(labels, r.bins, strict=True)
            ),
        ]

    def _missing_lines(self) -> list[str]:
        sides = [side for side in ("users", "items") if not any(side[:-1] in g.column for g in self.missing)]
        return [
            "missing values",
            *(f"  {g.column:<16} {g.missing:>11,} of {g.of:,}" for g in self.missing),
            *(f"  nothing besides ratings is known of {side}" for side in sides),
        ]

    def _time_lines(self) -> list[str]:
        if (t := self.time) is None:
            return []
        return [
            f"time: {t.first} to {t.last} (UTC), known of {t.known:.1%} of the ratings",
            *(f"  {year}  {count:>10,}" for year, count in t.years.items()),
        ]


def _activity_lines(users: SideSummary, items: SideSummary) -> list[str]:
    head = ("min", "25%", "median", "75%", "95%", "max", "mean", "one only", "Gini", "top 20%")
    lines = [f"{'ratings a':<10}" + "".join(f"{word:>9}" for word in head)]
    for name, side in (("user", users), ("item", items)):
        a = side.activity
        counts = (a.least, a.lower_quartile, a.median, a.upper_quartile, a.quantile_95, a.greatest)
        cells = [f"{count:,.0f}" for count in counts]
        cells += [f"{a.mean:,.1f}", f"{side.once:,}", f"{side.gini:.3f}", f"{side.top_share:.1%}"]
        lines.append(f"  {name:<8}" + "".join(f"{cell:>9}" for cell in cells))
    return [*lines, "  (top 20%: share of the ratings that the most active fifth has)"]


def _outlier_lines(users: SideSummary, items: SideSummary) -> list[str]:
    lines = [f"outliers, beyond {FENCE} interquartile ranges from the quartiles"]
    for name, side in (("users", users), ("items", items)):
        lines.append(f"  {f'{name}, log of ratings':<23}{_beyond(side.activity_fence)}")
        if side.mean_fence:
            lines.append(f"  {f'{name}*, mean rating':<23}{_beyond(side.mean_fence)}")
        lines.append(f"  {f'{name}*, one value only':<23}{side.constant:,}")
    judged = f"{users.judged:,} users and {items.judged:,} items with at least {JUDGED} ratings"
    return [*lines, f"  (* of the {judged})"]


def _beyond(fence: Fence) -> str:
    text = f"{fence.below:,} below {_short(fence.low)}, {fence.above:,} above {_short(fence.high)}"
    far = ", ".join(f"{extreme.id} ({_short(extreme.value)})" for extreme in fence.extremes)
    return f"{text}; farthest: {far}" if far else text


def _short(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def _genre_lines(genres: tuple[Genre, ...]) -> list[str]:
    if not genres:
        return []
    width = max(18, *(len(g.name) for g in genres))
    return [
        f"{'genre':<{width}} {'items':>10} {'share':>7} {'ratings':>12} {'share':>7}",
        *(
            f"  {g.name:<{width - 2}} {g.items:>10,} {g.item_share:>7.1%} {g.ratings:>12,} "
            f"{g.rating_share:>7.1%}"
            for g in genres
        ),
        "  (an item with several genres counts for each)",
    ]
