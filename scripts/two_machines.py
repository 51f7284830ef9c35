"""Training on two "machines" against one: network namespaces of a core each, with a real delay between them.

This process is the network: it holds each packet back for the delay, since not every kernel has netem. Needs
root, iproute2, taskset and two cores.

Example: python scripts/two_machines.py --network rgcn --delay 0.1 --delay 1
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import queue
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import measure

MACHINES = {"igmc-a": "10.77.0.1", "igmc-b": "10.77.0.2"}
DEVICE = "link"
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
CLONE_NEWNET = 0x40000000


@contextmanager
def machines() -> Iterator[None]:
    """The namespaces, each with a device to the other."""
    try:
        for name, address in MACHINES.items():
            inside = f"ip -n {name}"
            for command in (
                f"ip netns add {name}",
                f"{inside} link set lo up",
                f"{inside} tuntap add dev {DEVICE} mode tun",
                f"{inside} address add {address}/24 dev {DEVICE}",
                f"{inside} link set dev {DEVICE} mtu 9000 up",
            ):
                subprocess.run(command.split(), check=True)
        yield
    finally:
        for name in MACHINES:
            subprocess.run(["ip", "netns", "delete", name], check=False)


def end_of(name: str) -> int:
    """Our end of a machine's device. In a thread of its own, since it enters the namespace."""
    found: list[int] = []

    def enter() -> None:
        with open(f"/run/netns/{name}") as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "cannot enter the namespace")
        device = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH14x", DEVICE.encode(), IFF_TUN | IFF_NO_PI))
        found.append(device)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return found[0]


def forward(source: int, target: int, delay: list[float]) -> None:
    """Carry packets one way; `delay` holds the seconds that each of them takes."""
    waiting: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()

    def receive() -> None:
        while True:
            packet = os.read(source, 65536)
            waiting.put((time.perf_counter() + delay[0], packet))

    def send() -> None:
        while True:
            due, packet = waiting.get()
            time.sleep(max(0.0, due - time.perf_counter()))
            os.write(target, packet)

    for work in (receive, send):
        threading.Thread(target=work, daemon=True).start()


PROBE = """
import socket, time
def trip():
    start = time.perf_counter()
    socket.socket().connect_ex(("{address}", 9))  # refused at once, after one round trip
    return time.perf_counter() - start
print(min(trip() for _ in range(20)))
"""


def round_trip() -> float:
    """The shortest of twenty round trips between the machines, in ms."""
    first, second = MACHINES
    probe = [sys.executable, "-c", PROBE.format(address=MACHINES[second])]
    done = subprocess.run(["ip", "netns", "exec", first, *probe], capture_output=True, text=True, check=True)
    return 1000 * float(done.stdout)


def train(names: list[str], out: Path, options: list[str]) -> float:
    """Train on these machines; pairs per second, over all epochs but the first."""
    begun = []
    for core, name in enumerate(names):
        command = ["ip", "netns", "exec", name, "taskset", "-c", str(core), sys.executable]
        command += ["-m", "torch.distributed.run", "--nnodes", str(len(names)), "--nproc-per-node", "1"]
        command += ["--rdzv-backend", "c10d", "--rdzv-endpoint", f"{MACHINES['igmc-a']}:29500"]
        command += ["--rdzv-conf", f"is_host={int(not core)}", "--local-addr", MACHINES[name]]
        command += ["-m", "igmc", "train", *options, "--out", str(out), "-q"]
        environment = os.environ | {"GLOO_SOCKET_IFNAME": DEVICE, "OMP_NUM_THREADS": "1"}
        begun.append(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL))
    codes = [process.wait() for process in begun]
    if any(codes):
        raise click.ClickException("a training failed: see above")
    records = [json.loads(line) for line in (out / "metrics.jsonl").open()][1:]
    speeds = [value for record in records for name, value in record.items() if name.endswith("_per_second")]
    return len(speeds) / sum(1 / value for value in speeds)


@click.command()
@click.option("--network", default="rgcn", show_default=True)
@click.option("--dataset", default="demo", show_default=True)
@click.option("--epochs", default=3, show_default=True)
@click.option("--batch-size", default=200, show_default=True)
@click.option("--delay", "delays", multiple=True, default=[0.1, 1.0], show_default=True, help="ms, one way")
def main(network: str, dataset: str, epochs: int, batch_size: int, delays: tuple[float, ...]) -> None:
    """Measure, print and write results/two_machines.json."""
    options = ["--network", network, "--dataset", dataset, "--epochs", str(epochs)]
    options += ["--batch-size", str(batch_size)]
    with machines(), tempfile.TemporaryDirectory() as folder:
        first, second = map(end_of, MACHINES)
        delay = [0.0]
        forward(first, second, delay)
        forward(second, first, delay)
        alone = train(["igmc-a"], Path(folder) / "alone", options)
        click.echo(f"one machine: {alone:,.0f} pairs/s")
        rows = []
        for value in delays:
            delay[0] = value / 1000
            trip = round_trip()
            both = train([*MACHINES], Path(folder) / f"both-{value}", options)
            rows.append({"delay_ms": value, "round_trip_ms": trip, "pairs_per_second": both})
            click.echo(
                f"two, {trip:.2f} ms there and back: {both:,.0f} pairs/s, {both / alone:.2f} times one"
            )
    measure.save(
        "two_machines",
        {
            **{"network": network, "dataset": dataset, "epochs": epochs, "batch_size": batch_size},
            "load": os.getloadavg()[1],
            "one_pairs_per_second": alone,
            "two": rows,
        },
    )


if __name__ == "__main__":
    main()
