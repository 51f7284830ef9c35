"""What a piece of work costs: seconds, and memory at the peak."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["ResourceUsage"]

_STATM = Path("/proc/self/statm")
_EVERY = 0.02  # seconds between looks at the memory


class ResourceUsage:
    """Measures the block that it is the context of.

    Attributes:
        seconds: of wall time.
        peak_bytes: resident memory of the process at its highest in the block, less what there was at its
            start; None where the system does not tell (Linux does). Peaks between two looks, 20 ms apart, are
            missed.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.peak_bytes: int | None = None

    def __enter__(self) -> Self:
        self._done = threading.Event()
        self._before = self._peak = _resident()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        if self._before is not None:
            self._watcher.start()
        self._start = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds = time.perf_counter() - self._start
        if self._before is not None:
            self._done.set()
            self._watcher.join()
            self._look()
            self.peak_bytes = max(0, (self._peak or 0) - self._before)

    def _watch(self) -> None:
        while not self._done.wait(_EVERY):
            self._look()

    def _look(self) -> None:
        self._peak = max(self._peak or 0, _resident() or 0)


def _resident() -> int | None:
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None
