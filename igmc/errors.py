"""The errors that igmc raises on purpose, each with the exit code its command ends with.

Every message says what is wrong, the value received, what is allowed, and what to do.
"""

from __future__ import annotations

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataError",
    "IgmcError",
    "MissingExtraError",
    "StoreError",
    "TrainingError",
    "WorkerLostError",
    "WriteError",
]

_SHOWN = 200  # characters of a value at most: one that is wrong may be a whole file


class IgmcError(Exception):
    """Base of all errors that a user of igmc can cause or fix.

    Args:
        what: what was wrong, naming the file, line or setting.
        got: the value received, shown as ``repr``, 200 characters of it at most; left out when None.
        allowed: what would have been accepted.
        remedy: what to do about it.
    """

    exit_code = 1

    def __init__(
        self, what: str, *, got: object = None, allowed: str | None = None, remedy: str | None = None
    ) -> None:
        self.what, self.got, self.allowed, self.remedy = what, got, allowed, remedy
        parts = [what]
        if got is not None:
            parts.append(f"got {_shown(got)}")
        if allowed is not None:
            parts.append(f"allowed: {allowed}")
        if remedy is not None:
            parts.append(f"hint: {remedy}")
        super().__init__("; ".join(parts))

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling, and errors cross process borders.
        return _rebuild, (type(self), self.what, self.got, self.allowed, self.remedy)


def _shown(value: object) -> str:
    """What a message shows of a value: its ``repr``, of a long one the beginning, of a table its kind.

    >>> _shown("short"), len(_shown("long " * 10_000)) < 250
    ("'short'", True)
    """
    columns, shape = getattr(value, "columns", None), getattr(value, "shape", None)
    if isinstance(shape, tuple) and len(shape) == 2 and columns is not None:
        kind = f"{type(value).__module__.partition('.')[0]} {type(value).__name__}"
        names = ", ".join(map(str, columns))
        text = f"a {kind} of {shape[0]:,} rows with the columns {names}"
    else:
        text = " ".join(repr(value).split()) if hasattr(value, "shape") else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text):,} characters)"


def _rebuild(
    cls: type[IgmcError], what: str, got: object, allowed: str | None, remedy: str | None
) -> IgmcError:
    return cls(what, got=got, allowed=allowed, remedy=remedy)


class ConfigError(IgmcError):
    """A setting, name or option with a value that is not allowed (exit code 2)."""

    exit_code = 2


class DataError(IgmcError):
    """Input data that is missing, malformed or corrupt (exit code 3)."""

    exit_code = 3


class StoreError(DataError):
    """A subgraph store that is corrupt, incomplete or made for other data or settings (exit code 3)."""


class CheckpointError(DataError):
    """A run folder or checkpoint that is corrupt or does not fit (exit code 3)."""


class TrainingError(IgmcError):
    """Training that cannot continue, such as one whose loss is not finite (exit code 1)."""


class WorkerLostError(IgmcError):
    """A job whose worker died each time that it was tried, on this machine or another (exit code 1)."""


class WriteError(IgmcError):
    """A file that cannot be written, on a full disk or in a read-only folder (exit code 1)."""


class MissingExtraError(IgmcError):
    """A feature whose optional dependency is not installed (exit code 1).

    Args:
        what: what needs it.
        extra: of igmc, which brings it; the remedy says how to install that, and then what else helps.
        got, allowed, remedy: see `IgmcError`.
    """

    def __init__(
        self,
        what: str,
        *,
        extra: str | None = None,
        got: object = None,
        allowed: str | None = None,
        remedy: str | None = None,
    ) -> None:
        if extra is not None:
            install = f"pip install 'igmc[{extra}]' (in a checkout: '.[{extra}]')"
            remedy = install if remedy is None else f"{install}, {remedy}"
        super().__init__(what, got=got, allowed=allowed, remedy=remedy)
