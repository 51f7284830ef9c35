"""The server under load for long: 16 clients for ten minutes, then 500 connections for one.

`igmc serve` runs in a process of its own, on the run of `--demo`. Its health is asked twice a second,
by a connection of its own each time. Nothing may fail but by 503, memory may grow by 5 % at most after the
clients have warmed it up, and health must be answered within a second.

With --mixed the server has a store, and each of the 16 clients is a new user who asks for lists, of their own
or for a user of the run, and stores one to three ratings in one request of five, with a pause after each
answer. Every rating that was acknowledged must be applied. Memory may then grow with the ratings.

Example: python scripts/load_serve.py            # 13 minutes
         python scripts/load_serve.py --seconds 20 --many-seconds 10 --no-save
         python scripts/load_serve.py --mixed --run runs/ml_1m    # 11 minutes
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import click
import httpx
import measure
import record
from loaded_server import WARM, health, resident_mib, server
from mixed_clients import mixed_failures, run_mixed


async def ask(client: httpx.AsyncClient, draw: random.Random, items: list[Any]) -> str:
    """The status of a list for somebody, or the name of what went wrong."""
    ratings = [{"item_id": item, "rating": draw.randint(1, 5)} for item in draw.sample(items, 5)]
    try:
        answer = await client.post("/api/recommendations", json={"k": 10, "ratings": ratings}, timeout=60)
    except httpx.HTTPError as error:
        return type(error).__name__
    if answer.status_code in (429, 503):
        await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
    return str(answer.status_code)


async def load(address: str, connections: int, seconds: float, pause: float) -> dict[str, Any]:
    """So many clients, each on a connection that it keeps, with pauses of so many seconds on average."""
    found = httpx.get(f"{address}/api/items", params={"limit": 100}, timeout=60).json()["items"]
    items = [item["item_id"] for item in found]
    until = time.monotonic() + seconds
    statuses: Counter[str] = Counter()

    async def one(number: int) -> None:
        draw = random.Random(number)
        one = httpx.Limits(max_connections=1)
        # Certificates take 20 ms a client to load, in which health would not be asked.
        async with httpx.AsyncClient(base_url=address, limits=one, verify=False) as client:
            while time.monotonic() < until:
                statuses[await ask(client, draw, items)] += 1
                await asyncio.sleep(draw.expovariate(1 / pause) if pause else 0)

    healthy, *_ = await asyncio.gather(health(address, until), *(one(k) for k in range(connections)))
    return {
        "connections": connections,
        "seconds": seconds,
        "statuses": dict(sorted(statuses.items())),
        "health": healthy,
    }


def failures(results: dict[str, Any]) -> list[str]:
    """What was not as it must be."""
    found = []
    for name in ("clients", "connections"):
        part = results[name]
        bad = {status: n for status, n in part["statuses"].items() if status not in ("200", "429", "503")}
        found += [f"{name}: {n} times {status}" for status, n in bad.items()]
        if part["health"]["slowest_s"] > 1 or set(part["health"]["statuses"]) != {"200"}:
            found.append(f"{name}: health was {part['health']}")
    memory = results["memory_mib"]
    if memory["after"] > 1.05 * memory["warm"]:
        found.append(f"memory grew: {memory}")
    return found


@click.command()
@click.option("--run", type=click.Path(path_type=Path), help="What is served; that of --demo if left out.")
@click.option("--clients", default=16, help="That ask without a pause.")
@click.option("--seconds", default=600.0, help="For how long.")
@click.option("--connections", default=500, help="That ask every ten seconds on average.")
@click.option("--many-seconds", default=60.0, help="For how long.")
@click.option("--mixed", is_flag=True, help="Instead, clients that ask for lists and store ratings.")
@click.option("--pause", default=1.0, help="Of mixed clients after each answer, in seconds on average.")
@click.option("--processes", default=1, help="Of the server, with --mixed.")
@click.option("--save/--no-save", default=True, help="Write scripts/results/load.json.")
def main(
    run: Path | None,
    clients: int,
    seconds: float,
    connections: int,
    many_seconds: float,
    mixed: bool,
    pause: float,
    processes: int,
    save: bool,
) -> None:
    """Load, print, and write scripts/results/load.json; exit code 1 if anything was not as it must be."""
    if mixed:
        results = run_mixed(run, clients, seconds, pause, processes)
        results["failures"] = mixed_failures(results)
    else:
        results = run_lists(run, clients, seconds, connections, many_seconds)
        results["failures"] = failures(results)
    click.echo(json.dumps(results, indent=1))
    if save:
        path = record.RESULTS / "load.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        rows = (
            {"mixed" if processes == 1 else f"mixed_{processes}": results}
            if mixed
            else {**measure.setting(), **results}
        )
        record.write("load", {**known, **rows})
    sys.exit(bool(results["failures"]))


def run_lists(
    run: Path | None, clients: int, seconds: float, connections: int, many_seconds: float
) -> dict[str, Any]:
    """The rows for clients that only ask for lists."""
    with server(run) as (process, address):
        asyncio.run(load(address, clients, min(WARM, seconds), pause=0))
        memory = {"warm": resident_mib(process.pid)}
        at_once = asyncio.run(load(address, clients, seconds, pause=0))
        memory["after"] = resident_mib(process.pid)
        many = asyncio.run(load(address, connections, many_seconds, pause=10))
        memory["after_many"] = resident_mib(process.pid)
    return {
        "clients": at_once,
        "connections": many,
        "memory_mib": memory,
        "exit_code_after_sigterm": process.returncode,
    }


if __name__ == "__main__":
    main()
