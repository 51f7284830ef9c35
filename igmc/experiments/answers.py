"""The answer log of a server: what was shown to whom, by which arm, as lines of JSON."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import logging
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from igmc.errors import ConfigError, DataError
from igmc.files import LineFile
from igmc.ratings import RawId

__all__ = ["KINDS", "SHADOW", "Answer", "AnswerLog", "Answers", "check_key", "hashed_id", "read_answers"]

logger = logging.getLogger(__name__)

KINDS = ("list", "worst", "scores", "explanation")
SHADOW = "shadow"  # the arm that is computed and never shown
LEAST = 16  # characters of a key

Scored = tuple[tuple[RawId, float], ...]


class Answer(NamedTuple):
    """One answer of one arm.

    Attributes:
        time: when, in ISO 8601, UTC.
        answer: an id of the answer; that of a shadow has the id of the answer that was shown.
        kind: "list"; "worst" (a list of the least relevant); "scores" or "explanation".
        arm: a letter, or "shadow".
        user: who asked: a user id, the id that a visitor sent, or in a log with hashed ids its hash; None
            for visitors without an id.
        position: the last entry of the store that the arm had applied; None without a store.
        items: what was answered, in order: ids and predicted ratings.
        scored: of a shadow: its predictions for the items that were shown.
        hashed: whether `user` is a hash.
    """

    time: str
    answer: str
    kind: str
    arm: str
    user: RawId | None
    position: int | None
    items: Scored
    scored: Scored = ()
    hashed: bool = False

    def to_json(self) -> str:
        """The line of the log, without the fields that have their usual value."""
        usual = self._field_defaults
        fields = {name: value for name, value in self._asdict().items() if value != usual.get(name, ...)}
        return json.dumps(fields)

    @classmethod
    def from_json(cls, line: str | bytes) -> Answer:
        """The answer of a line.

        Raises:
            ValueError: if the line is not one of an answer log.
        """
        fields = json.loads(line)
        if not isinstance(fields, dict) or not set(fields) <= set(cls._fields):
            raise ValueError("this is not an answer")
        try:
            found = cls(**{**fields, **{name: _pairs(fields.get(name, ())) for name in ("items", "scored")}})
        except TypeError as error:
            raise ValueError("this is not an answer") from error
        texts = (found.time, found.answer, found.kind, found.arm)
        numbers = isinstance(found.position, int | None), isinstance(found.user, int | str | None)
        if not all(isinstance(one, str) for one in texts) or not all(numbers) or found.kind not in KINDS:
            raise ValueError("this is not an answer")
        return found


class AnswerLog:
    """A file that gets a line for each answer; see `igmc.files.LineFile`.

    Args:
        path: of the file.
        key: ids of users are replaced by keyed hashes if it is given.
    """

    def __init__(self, path: Path, key: str | None = None) -> None:
        self._key = None if key is None else check_key(key)
        self.file = LineFile(path)

    def __enter__(self) -> AnswerLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.__exit__()

    def append(self, answer: Answer) -> None:
        """Write a line; lines that cannot be written are counted in `file.lost`."""
        if self._key is not None and answer.user is not None:
            answer = answer._replace(user=hashed_id(answer.user, self._key), hashed=True)
        self.file.append(answer.to_json())


class Answers(NamedTuple):
    """What some logs hold.

    Attributes:
        answers: each once, by time.
        torn: lines that could not be read, such as the last one after a crash.
        repeated: lines that occurred before, as in a copy of a file.
    """

    answers: list[Answer]
    torn: int
    repeated: int


def read_answers(paths: Iterable[Path]) -> Answers:
    """The answers in some logs, whatever the order of the files.

    Lines that cannot be read are counted and left out, and a line that occurs twice counts once.

    Args:
        paths: of files; those whose names end in ``.gz`` are decompressed.

    Raises:
        DataError: on a file that cannot be read, or that holds no answer and is not empty.
    """
    found: dict[tuple[str, str], Answer] = {}
    torn = repeated = 0
    for path in paths:
        lines = readable = 0
        for line in _lines(path):
            lines += 1
            try:
                one = Answer.from_json(line)
            except ValueError:
                continue
            readable += 1
            repeated += (one.answer, one.arm) in found
            found[one.answer, one.arm] = one
        torn += lines - readable
        if lines and not readable:
            raise DataError(f"{path} is not an answer log", allowed="files of igmc-serve --answer-log")
    return Answers(sorted(found.values(), key=lambda one: (one.time, one.answer, one.arm)), torn, repeated)


def check_key(key: str) -> str:
    """The key of hashed ids.

    Raises:
        ConfigError: if it is short enough to be guessed.
    """
    if len(key) < LEAST:
        raise ConfigError(
            "the key of hashed ids is too short",
            allowed=f"at least {LEAST} characters",
            remedy='set IGMC_LOG_KEY to a secret, such as the output of "openssl rand -hex 32"',
        )
    return key


def hashed_id(raw: RawId, key: str) -> str:
    """HMAC-SHA-256 of an id, 32 hexadecimal digits: without the key nobody can try out ids."""
    return hmac.new(key.encode(), json.dumps(raw).encode(), hashlib.sha256).hexdigest()[:32]


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield from (line for line in file if line.strip())
    except (EOFError, zlib.error):
        logger.warning("%s ends too early; what comes before is read", path)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}", remedy="check the path") from None


def _pairs(given: Any) -> Scored:
    """Ids and scores; a TypeError or ValueError on anything else."""
    pairs = tuple((item, float(score)) for item, score in given)
    if not all(isinstance(item, int | str) for item, _ in pairs):
        raise ValueError("an item has no id")
    return pairs
