"""Clients that ask for lists and store ratings, as users do. For `scripts/load_serve.py --mixed`."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import measure
import numpy as np
from loaded_server import WARM, health, resident_mib, server

WRITES = 0.2  # of the requests


# What clients met: statuses of requests by kind, the seconds of lists that were answered, ratings stored.
Met = dict[str, Any]


def nothing() -> Met:
    """What clients have met before they begin."""
    return {"statuses": {"list": Counter(), "store": Counter()}, "seconds": [], "acknowledged": 0}


async def ask(client: httpx.AsyncClient, user: Any, met: Met) -> None:
    """Ask for a list."""
    start = time.perf_counter()
    status = await sent(client, "POST", "/api/recommendations", {"user_id": user, "k": 10})
    met["statuses"]["list"][status] += 1
    if status == "200":
        met["seconds"].append(time.perf_counter() - start)


async def store(
    client: httpx.AsyncClient, user: Any, draw: random.Random, items: list[Any], met: Met
) -> None:
    """Store ratings, with the same key until that is acknowledged."""
    chosen = draw.sample(items, draw.randint(1, 3))
    body = {"ratings": [{"item_id": item, "rating": draw.randint(1, 5)} for item in chosen]}
    key, status = str(uuid.uuid4()), "503"
    while status == "503":
        status = await sent(client, "PUT", f"/api/users/{user}/ratings", body, key)
        met["statuses"]["store"][status] += 1
    met["acknowledged"] += len(chosen) * (status == "200")


async def sent(client: httpx.AsyncClient, method: str, path: str, body: Any, key: str | None = None) -> str:
    """The status of a request, or the name of what went wrong; waits where the server says so."""
    headers = {} if key is None else {"Idempotency-Key": key}
    try:
        answer = await client.request(method, path, json=body, headers=headers, timeout=60)
    except httpx.HTTPError as error:
        return type(error).__name__
    if answer.status_code == 503:
        await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
    return str(answer.status_code)


async def mixed_load(address: str, clients: int, seconds: float, pause: float, met: Met) -> dict[str, Any]:
    """So many users who ask and rate, with pauses of so many seconds on average; the health meanwhile."""
    with httpx.Client(base_url=address, timeout=60) as client:
        found = client.get("/api/items", params={"limit": 100}).json()["items"]
        known = client.get("/api/users", params={"limit": 100}).json()["users"]
    items, users = [one["item_id"] for one in found], [one["user_id"] for one in known]
    until = time.monotonic() + seconds

    async def one(number: int) -> None:
        draw = random.Random(number)
        own: Any = 10**9 + number if isinstance(users[0], int) else f"load {number}"
        alone = httpx.Limits(max_connections=1)
        async with httpx.AsyncClient(base_url=address, limits=alone, verify=False) as client:
            await store(client, own, draw, items, met)
            while time.monotonic() < until:
                await asyncio.sleep(draw.expovariate(1 / pause) if pause else 0)
                if draw.random() < WRITES:
                    await store(client, own, draw, items, met)
                else:
                    await ask(client, draw.choice(users) if draw.random() < 0.5 else own, met)

    healthy, *_ = await asyncio.gather(health(address, until), *(one(k) for k in range(clients)))
    return healthy


def run_mixed(run: Path | None, clients: int, seconds: float, pause: float, processes: int) -> dict[str, Any]:
    """The row of the result file for mixed clients."""
    with (
        tempfile.TemporaryDirectory() as folder,
        server(run, "--store", f"{folder}/ratings.db", "--processes", str(processes)) as (process, at),
    ):
        about = httpx.get(f"{at}/api/about", timeout=60).json()
        warm, met = nothing(), nothing()
        asyncio.run(mixed_load(at, clients, min(WARM, seconds), pause, warm))
        before = resident_mib(process.pid)
        healthy = asyncio.run(mixed_load(at, clients, seconds, pause, met))
        after = resident_mib(process.pid)
        time.sleep(2)  # each process sees the ratings that others stored within a second
        applied = httpx.get(f"{at}/api/ready", timeout=60).json()["position"]
    p50, p95, p99 = (round(1e3 * float(value), 1) for value in np.percentile(met["seconds"], (50, 95, 99)))
    return {
        **measure.setting(),
        "dataset": about["dataset"],
        "known_ratings": about["ratings"],
        "processes": processes,
        "clients": clients,
        "seconds": seconds,
        "pause_s": pause,
        "statuses": {kind: dict(sorted(counts.items())) for kind, counts in met["statuses"].items()},
        "lists_ms": {"p50": p50, "p95": p95, "p99": p99},
        "ratings": {
            "acknowledged": met["acknowledged"],
            "while_warming": warm["acknowledged"],
            "applied": applied,
        },
        "memory_mib": {"before": before, "after": after},
        "health": healthy,
    }


def mixed_failures(row: dict[str, Any]) -> list[str]:
    """What was not as it must be."""
    found = [
        f"{kind}: {count} times {status}"
        for kind, counts in row["statuses"].items()
        for status, count in counts.items()
        if status not in ("200", "503")
    ]
    ratings = row["ratings"]
    if ratings["applied"] != ratings["acknowledged"] + ratings["while_warming"]:
        found.append(f"not every rating was applied once: {ratings}")
    if set(row["health"]["statuses"]) != {"200"} or row["health"]["slowest_s"] > 1:
        found.append(f"health was {row['health']}")
    return found
