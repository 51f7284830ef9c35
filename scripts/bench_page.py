"""The page in headless Chromium on loopback: when it shows something, and when all of it answers a visitor.

Each load has an empty cache and a browser context of its own; the server keeps running. Needs Debian's
chromium and the Python package playwright.

Example: python scripts/bench_page.py runs/ml_100k
"""

from __future__ import annotations

import json
import multiprocessing
import shutil
import statistics
from pathlib import Path
from typing import Any

import click
import measure
from playwright.sync_api import Browser, sync_playwright

from igmc.config import ServeConfig
from igmc.inference import Predictor

# Milliseconds since the navigation began: when the first title can be rated, when the list is there, and the
# tasks longer than 50 ms, during which the page answers nobody.
WATCH = """
window.seen = {tasks: []};
const note = (found) => found.getEntries().forEach((one) => seen.tasks.push([one.startTime, one.duration]));
new PerformanceObserver(note).observe({type: "longtask", buffered: true});
new MutationObserver(() => {
  if (!seen.titles && document.querySelector("#found input")) seen.titles = performance.now();
  const list = document.querySelector("#recommended[aria-busy=false] input");
  if (!seen.list && list) seen.list = performance.now();
}).observe(document, {subtree: true, childList: true, attributes: true});
"""
READ = """() => {
  const loads = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const paint = performance.getEntriesByName("first-contentful-paint")[0].startTime;
  const bytes = loads.reduce((sum, one) => sum + one.transferSize, 0);
  return {...seen, paint, bytes, requests: loads.length};
}"""


def run_server(run: Path, address: Any) -> None:
    """Serve until terminated; the port goes into the pipe."""
    from igmc.web import Experiment, Service, listen, make_app, serve

    limits = ServeConfig()
    service = Service(Predictor.from_run(run, device="cpu"), limits)
    service.warm()
    app = make_app(Experiment.of(service), limits)
    with listen("127.0.0.1", 0) as listener:
        address.send(listener.getsockname()[1])
        serve(app, listener, limits)


def load(browser: Browser, place: str) -> dict[str, float]:
    """One visit: paint, titles, list and interactive in ms, the longest task in ms, bytes and requests."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script(WATCH)
    page = context.new_page()
    page.goto(place)
    page.wait_for_function("() => seen.titles && seen.list", timeout=60_000)
    page.wait_for_timeout(500)  # for long tasks that follow
    found = page.evaluate(READ)
    context.close()
    tasks = found.pop("tasks")
    free = max((start + length for start, length in tasks), default=0.0)
    longest = max((length for _, length in tasks), default=0.0)
    return found | {"interactive": max(found["titles"], found["list"], free), "longest_task": longest}


@click.command()
@click.argument("run", type=click.Path(path_type=Path, exists=True))
@click.option("--loads", default=20, show_default=True)
@click.option("--save/--no-save", default=True, help="Write scripts/results/page.json.")
def main(run: Path, loads: int, save: bool) -> None:
    """Measure, print, and write scripts/results/page.json."""
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=run_server, args=(run, there), daemon=True)
    server.start()
    there.close()  # so that a server that fails ends the wait for its port
    try:
        place = f"http://127.0.0.1:{here.recv()}"
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        with sync_playwright() as playwright:
            flags = ["--no-sandbox", "--disable-gpu"]
            browser = playwright.chromium.launch(executable_path=chromium, args=flags)
            load(browser, place)  # starts the browser's own processes
            visits = [load(browser, place) for _ in range(loads)]
            version = browser.version
            browser.close()
    finally:
        server.terminate()
        server.join()
    found = {
        name: {
            "median": round(statistics.median(visit[name] for visit in visits), 1),
            "max": round(max(visit[name] for visit in visits), 1),
        }
        for name in visits[0]
    }
    result = {"chromium": version, "run": run.name, "loads": loads, "page": found}
    print(json.dumps(result, indent=1))
    if save:
        measure.save("page", result)


if __name__ == "__main__":
    main()
