"""Downloads that resume after interruptions and are verified before use."""

from __future__ import annotations

import hashlib
import http.client
import io
import logging
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from igmc.errors import DataError

__all__ = ["download", "sha256_of"]

logger = logging.getLogger(__name__)

CHUNK = 1 << 16
MIN_RATE = 1024  # bytes a second: a slower server counts as hanging
_TRANSIENT = (408, 425, 429, 500, 502, 503, 504)


class _TryError(Exception):
    """One try that did not end with the whole file; `final` if trying again cannot help."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(
    urls: Sequence[str],
    target: Path,
    *,
    size: int,
    sha256: str,
    timeout: float = 30.0,
    tries: int = 4,
    pause: float = 1.0,
    progress: bool = True,
) -> None:
    """Fetch a file of known size and hash from the first of several addresses that has it.

    Partial content is kept in `<target>.partial` and continued on the next attempt, from any address; the
    file is named `target` once its hash is verified.

    Args:
        urls: http(s) addresses, tried in this order.
        target: path of the file to make.
        size: its length in bytes.
        sha256: its hash, 64 hex digits.
        timeout: seconds without an answer, or at less than 1 kB/s, after which a try is given up.
        tries: tries in a row without any progress before the next address gets its turn.
        pause: seconds before the second try; doubled for each further one.
        progress: show a bar on stderr if that is a terminal.

    Raises:
        DataError: if no address has the file; what is worth continuing is kept.
        OSError: if the file cannot be written.
    """
    partial = target.with_name(target.name + ".partial")
    if target.is_file():  # whole, by the look of it, but left unused: its hash will tell
        os.replace(target, partial)
    failures: list[str] = []
    for url in urls:
        try:
            _from_one(
                url, partial, size, sha256, timeout=timeout, tries=tries, pause=pause, progress=progress
            )
        except _TryError as failure:
            logger.warning("%s: %s", url, failure)
            failures.append(f"{url}: {failure}")
        else:
            os.replace(partial, target)
            return
    raise DataError(
        f"{target.name} could not be downloaded; " + "; ".join(failures),
        remedy="try again later, which resumes the download, or get the file some other way "
        f"(sha256 {sha256}) and pass it with --from-zip",
    )


def _from_one(
    url: str,
    partial: Path,
    size: int,
    sha256: str,
    *,
    timeout: float,
    tries: int,
    pause: float,
    progress: bool,
) -> None:
    """Fill `partial` from one address until it is whole and right, or raise _TryError."""
    best = _length(partial)
    failed = 0
    while True:
        start = _length(partial)
        try:
            _transfer(url, partial, size, timeout=timeout, progress=progress)
            got = sha256_of(partial)
            if got == sha256:
                return
            partial.unlink()
            # The fault may lie in what an earlier try left: only a whole fresh body is the server's word.
            raise _TryError(
                f"the content is not the expected one: sha256 {got}, not {sha256}", final=start == 0
            )
        except (_TryError, OSError, http.client.HTTPException) as error:
            failure = _as_try_error(error)
        reached = _length(partial)
        # A server that ignores Range and is cut each time at the same place makes no progress.
        failed = 0 if reached > best else failed + 1
        best = max(best, reached)
        if failure.final or failed >= tries:
            raise failure
        logger.info("%s: %s; trying again from byte %d", url, failure, reached)
        time.sleep(pause * 2 ** max(failed - 1, 0))


def _as_try_error(error: Exception) -> _TryError:
    """What went wrong on the network, told in one line; trouble with the local file is raised as it is."""
    if isinstance(error, _TryError):
        return error
    if isinstance(error, urllib.error.HTTPError):
        return _TryError(f"HTTP {error.code} {error.reason}", final=error.code not in _TRANSIENT)
    if isinstance(error, urllib.error.URLError):
        return _TryError(f"no connection ({error.reason})")
    if isinstance(error, TimeoutError | ConnectionError | ssl.SSLError | http.client.HTTPException):
        return _TryError(f"connection lost ({error or type(error).__name__})")
    raise error


def _transfer(url: str, partial: Path, size: int, *, timeout: float, progress: bool) -> None:
    """Append the rest of the file to `partial`, or all of it if the server does not do ranges."""
    start = _length(partial)
    if start > size:
        partial.unlink()
        start = 0
    if start == size:
        return
    headers = {"User-Agent": "igmc", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=timeout) as response:
        start = _agreed_start(response, start, size)
        with (
            partial.open("ab" if start else "wb") as out,
            tqdm(
                total=size,
                initial=start,
                desc=partial.stem,
                unit="B",
                unit_scale=True,
                unit_divisor=1024,
                disable=None if progress else True,
            ) as bar,
        ):
            _copy(response, out, size, timeout=timeout, bar=bar)
    length = _length(partial)
    if length > size:
        partial.unlink()
        raise _TryError(f"it sends more than the expected {size:,} bytes", final=True)
    if length < size:
        raise _TryError(f"the connection was cut at {length:,} of {size:,} bytes")


def _agreed_start(response: http.client.HTTPResponse, start: int, size: int) -> int:
    """The byte at which the body begins: 0 from a server that does not do ranges."""
    if response.status != 206:
        start = 0
    elif not (response.headers.get("Content-Range") or "").startswith(f"bytes {start}-"):
        raise _TryError("it answers with another range than the one asked for", final=True)
    announced = response.headers.get("Content-Length") or ""
    if announced.isdecimal() and start + int(announced) != size:
        raise _TryError(f"it has {start + int(announced):,} bytes where {size:,} are expected", final=True)
    return start


def _copy(
    response: http.client.HTTPResponse,
    out: io.BufferedWriter,
    size: int,
    *,
    timeout: float,
    bar: tqdm[NoReturn],
) -> None:
    window_start, window_bytes = time.monotonic(), 0
    while out.tell() <= size and (chunk := response.read1(CHUNK)):
        out.write(chunk)
        bar.update(len(chunk))
        window_bytes += len(chunk)
        elapsed = time.monotonic() - window_start
        if elapsed >= timeout:
            if window_bytes < MIN_RATE * elapsed:
                raise TimeoutError(f"only {window_bytes} bytes in {elapsed:.0f} seconds")
            window_start, window_bytes = time.monotonic(), 0
    out.flush()
    os.fsync(out.fileno())


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
