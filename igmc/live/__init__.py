"""Ratings that last: a log in SQLite or PostgreSQL, and a predictor that follows it."""

from igmc.live.applying import applied
from igmc.live.entries import Change, DatabaseAwayError, Draft, Entry, KeyReusedError, Receipt
from igmc.live.exporting import Exported, export
from igmc.live.log import RatingLog
from igmc.live.ratings import LiveRatings, State
from igmc.live.writer import QueueFullError

__all__ = [
    "Change",
    "DatabaseAwayError",
    "Draft",
    "Entry",
    "Exported",
    "KeyReusedError",
    "LiveRatings",
    "QueueFullError",
    "RatingLog",
    "Receipt",
    "State",
    "applied",
    "export",
]
