"""A PostgreSQL of the tests alone (Debian: ``apt-get install postgresql``)."""

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest


class Postgres:
    """A server that can be stopped and started again, reached through a socket in a folder of its own.

    Attributes:
        url: of its database, as SQLAlchemy has it.
    """

    def __init__(self, initdb: Path) -> None:
        # The server refuses to run as root, and its user cannot enter pytest's folders.
        self._who = {"user": pwd.getpwnam("nobody").pw_uid, "extra_groups": []} if os.geteuid() == 0 else {}
        self.folder = Path(tempfile.mkdtemp(prefix="igmc-pg-"))
        if self._who:
            os.chown(self.folder, self._who["user"], -1)
        self._control, self._data = initdb.with_name("pg_ctl"), self.folder / "data"
        self._run(initdb, "-D", self._data, "-A", "trust", "-U", "igmc", "--no-sync", "-E", "UTF8")
        self.url = f"postgresql+psycopg://igmc@/postgres?host={self.folder}"

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c max_connections=60"
        self._run(self._control, "-D", self._data, "-o", options, "-l", self.folder / "log", "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run(self._control, "-D", self._data, "-m", mode, "stop")

    def _run(self, *command: object) -> None:
        subprocess.run(
            [str(word) for word in command],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
            **self._who,
        )


def find_initdb() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    initdb = shutil.which("initdb") or (str(found[-1] / "initdb") if found else None)
    return None if initdb is None else Path(initdb).resolve()


@contextmanager
def running_postgres():
    """A server that runs; the test is skipped where none is installed."""
    initdb = find_initdb()
    if initdb is None:
        can_install = os.geteuid() == 0 and shutil.which("apt-get")
        if os.environ.get("CI") == "true" and can_install:
            pytest.fail("no PostgreSQL: .ci/run installs it with apt-get")
        pytest.skip("no PostgreSQL here: apt-get install postgresql")
    pytest.importorskip("psycopg")
    server = Postgres(initdb)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.folder)
