"""A server to be loaded: its process, its memory and its health. For `scripts/load_serve.py`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

WARM = 60.0  # seconds at most in which arenas and caches fill up


@contextmanager
def server(run: Path | None, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own, and its address; it must end with 0."""
    which = ["--run", str(run)] if run else ["--demo"]
    process = subprocess.Popen(
        [sys.executable, "-m", "igmc", "serve", *which, "--port", "0", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "IGMC_TOKEN"},
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().split()[1].rstrip("/")
    finally:
        process.terminate()
        process.wait(60)


def resident_mib(process: int) -> float:
    """What a process and its children hold in memory; what they share counts once."""
    total = 0
    for one in (process, *map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split())):
        rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
        total += int(rollup.partition("\nPss:")[2].split()[0])
    return round(total / 2**10, 1)


async def health(address: str, until: float) -> dict[str, Any]:
    """Ask twice a second how the server is."""
    statuses: Counter[str] = Counter()
    slowest = 0.0
    while time.monotonic() < until:
        start = time.monotonic()
        try:
            async with httpx.AsyncClient(base_url=address, timeout=10, verify=False) as client:
                statuses[str((await client.get("/api/health")).status_code)] += 1
        except httpx.HTTPError as error:
            statuses[type(error).__name__] += 1
        slowest = max(slowest, time.monotonic() - start)
        await asyncio.sleep(0.5)
    return {"statuses": dict(statuses), "slowest_s": round(slowest, 3)}
