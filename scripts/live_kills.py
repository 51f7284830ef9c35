"""Kill a server that stores ratings, again and again under load, and count what was lost or done twice.

In each round clients write as fast as they can, each request with a key of its own, and the server is killed
(SIGKILL) after a random time. A client that got no answer sends its last request again to the next server,
with the same key. In the end each rating that was acknowledged has to be in the log, once, in the order in
which its user sent it; and a server that starts then has to know the last ones of each user.

    python scripts/live_kills.py --run runs/demo --kills 100 --out scripts/results/live_kills.json
    python scripts/live_kills.py --run runs/demo --store postgresql://user@host/database
"""

from __future__ import annotations

import http.client
import json
import random
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import click
import live_server

from igmc.inference import Predictor
from igmc.live import LiveRatings, RatingLog

Load = dict[str, Any]
WRONG = ("lost", "twice", "out_of_order", "elsewhere", "not_applied")


def send(address: str, user: int, body: Any, key: str) -> dict[str, Any] | None:
    """The receipt of a request; None if there was no answer, or one that says to come again."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    request = urllib.request.Request(
        f"{address}api/users/{user}/ratings", json.dumps(body).encode(), headers, method="PUT"
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        if error.code != 503:
            raise
    except (OSError, http.client.HTTPException):
        pass
    return None


def write(load: Load, user: int, items: list[Any], scale: list[float]) -> None:
    """One client: ratings one after the other, each again until it is acknowledged."""
    rng, number = random.Random(user), 0
    while not load["end"].is_set():
        number += 1
        # The time numbers the requests of a user, so that the log shows what was lost or done twice.
        rating = {"item_id": rng.choice(items), "rating": rng.choice(scale), "time": number}
        key = str(uuid.uuid4())
        load["sent"][user] = number
        while (receipt := send(load["address"], user, {"ratings": [rating]}, key)) is None:
            if load["end"].is_set():
                return
            time.sleep(0.02)
        load["acknowledged"][user].append((number, receipt["position"], rating))
        load["repeated"] += receipt["repeated"]


def judge(predictor: Predictor, store: str, load: Load) -> dict[str, int]:
    """What is wrong between what was acknowledged, what is stored, and what a new server knows."""
    with RatingLog(store) as log:
        entries = []
        while piece := log.read(entries[-1].position if entries else 0):
            entries += piece
    stored: dict[Any, list[Any]] = {}
    for entry in entries:
        stored.setdefault(entry.user, []).append(entry)
    found = Counter(dict.fromkeys(WRONG, 0))
    live = LiveRatings(predictor, store)
    for user, receipts in load["acknowledged"].items():
        numbers = [entry.time for entry in stored.get(user, [])]
        found["twice"] += len(numbers) - len(set(numbers))
        found["out_of_order"] += numbers != sorted(numbers)
        places = {entry.time: entry for entry in stored.get(user, [])}
        for number, position, rating in receipts:
            entry = places.get(number)
            found["lost"] += entry is None
            found["elsewhere"] += entry is not None and (
                (entry.position, entry.item, entry.rating) != (position, rating["item_id"], rating["rating"])
            )
        last = {entry.item: entry.rating for entry in stored.get(user, [])}
        known = live.predictor
        (at,) = known.users.encode([user]).tolist()
        items, levels = known.graph.by_user.row(at)
        served = dict(zip(known.items.decode(items), known.scale.values[levels].tolist(), strict=True))
        found["not_applied"] += any(served.get(item) != rating for item, rating in last.items())
    live.close()
    return {"stored": len(entries), **found}


@click.command(help=__doc__)
@click.option("--run", type=click.Path(path_type=Path), required=True)
@click.option("--store", help="A new SQLite file if not given; or the URL of an empty PostgreSQL database.")
@click.option("--kills", default=100, show_default=True)
@click.option("--clients", default=8, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--longest", default=1.5, show_default=True, help="Seconds of load before a kill, at most.")
@click.option("--out", type=click.Path(path_type=Path), help="JSON file that the result is appended to.")
def main(out: Path | None, **given: Any) -> None:
    result = measured(**given)
    click.echo(json.dumps(result, indent=1))
    if out is not None:
        before = json.loads(out.read_text()) if out.exists() else []
        out.write_text(json.dumps([*before, result], indent=1) + "\n")
    if any(result[name] for name in WRONG):
        sys.exit(1)


def measured(
    run: Path, store: str | None, kills: int, clients: int, seed: int, longest: float
) -> dict[str, Any]:
    """What was acknowledged and stored, and what is wrong with it."""
    predictor = Predictor.from_run(run, device="cpu")
    place = store or str(Path(tempfile.mkdtemp(prefix="igmc-kills-")) / "ratings.db")
    users = [10_000_000 + k for k in range(clients)]
    load: Load = {
        "end": threading.Event(),
        "acknowledged": {user: [] for user in users},
        "sent": {},
        "repeated": 0,
    }
    rng, began = random.Random(seed), time.monotonic()
    context = live_server.prepare(run)
    process, load["address"] = live_server.start(context, place)
    scale, items = predictor.scale.values.tolist(), list(predictor.items.ids)
    threads = [threading.Thread(target=write, args=(load, user, items, scale), daemon=True) for user in users]
    for thread in threads:
        thread.start()
    under_way = 0
    for _ in range(kills):
        time.sleep(rng.uniform(0.02, longest))
        process.kill()
        process.join()
        under_way += sum(load["sent"][user] > len(load["acknowledged"][user]) for user in users)
        process, load["address"] = live_server.start(context, place)
    time.sleep(1)
    load["end"].set()
    for thread in threads:
        thread.join(60)
    process.terminate()
    process.join(60)
    return {
        "database": "PostgreSQL" if "://" in place else "SQLite",
        "kills": kills,
        "clients": clients,
        "seed": seed,
        "acknowledged": sum(map(len, load["acknowledged"].values())),
        "under_way_at_a_kill": under_way,
        "repeated_and_counted_once": load["repeated"],
        **judge(predictor, place, load),
        "seconds": round(time.monotonic() - began),
    }


if __name__ == "__main__":
    main()
