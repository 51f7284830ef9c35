"""Workers that are killed are replaced and their jobs done again; interrupts end them; cores are shared."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from igmc.errors import ConfigError, WorkerLostError
from igmc.jobs import drive, workers_for
from tests.worker_jobs import killed, killed_once, lives, refused, told_to_end_once, until, where

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("work", [killed_once, told_to_end_once])
def test_a_job_whose_worker_dies_is_done_again_and_the_others_go_on(tmp_path, work):
    found = []
    with workers_for("local", 2) as executor:
        drive(executor, partial(work, str(tmp_path / "killed")), range(6), 2, found.append)
    assert sorted(found) == [0, 1, 4, 9, 16, 25]
    assert (tmp_path / "killed").exists()


def test_a_job_that_kills_each_worker_is_given_up_alone():
    found, lost = [], []
    with workers_for("local", 2) as executor:
        drive(executor, killed, range(4), 2, found.append, lambda *told: lost.append(told))
    assert sorted(found) == [0, 2, 3]
    [(number, error)] = lost
    assert number == 1
    assert "died 4 times over the same job, usually for lack of memory; hint: " in str(error)
    with workers_for("local", 1) as executor, pytest.raises(WorkerLostError):
        drive(executor, killed, [1], 1, found.append)


def test_our_errors_come_back_as_they_are():
    with workers_for("local", 1) as executor, pytest.raises(ConfigError) as caught:
        executor.submit(refused, 7).result()
    assert (caught.value.got, caught.value.remedy) == (7, "ask for another")


SCRIPT = """
from functools import partial
from pathlib import Path
import igmc.processes
from igmc.jobs import drive, workers_for
from tests.worker_jobs import asleep
if __name__ == "__main__":
    igmc.processes.GRACE = 0.5
    with workers_for("local", 2) as executor:
        drive(executor, partial(asleep, {folder!r}), range(2), 2, print)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_a_job_that_is_interrupted_or_killed(tmp_path, number):
    marks = tmp_path / "marks"
    marks.mkdir()
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(folder=str(marks)))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}  # for the module of the jobs
    command = [sys.executable, script]
    job = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True, env=environment)
    until(lambda: len(list(marks.iterdir())) == 2)
    begun = [int(path.name) for path in marks.iterdir()]
    if number == signal.SIGINT:
        os.killpg(job.pid, number)  # as a terminal does: the workers get it too
    else:
        job.kill()
    _, err = job.communicate(timeout=60)
    assert job.returncode == -number
    until(lambda: not any(map(lives, begun)), 20)
    left = {int(path.stem) for path in marks.glob("*.left")}
    assert left == (set(begun) if number == signal.SIGINT else set()), "those interrupted could clean up"
    assert err.count(b"Traceback") <= 1, "none of a worker"


def test_workers_share_the_cores():
    own = os.sched_getaffinity(0)
    found = {}
    with workers_for("local", 2) as executor:
        drive(executor, where, range(4), 2, lambda told: found.update([told]))
    assert len(found) == 2
    first, second = found.values()
    assert os.sched_getaffinity(0) == own == first | second
    assert len(own) == 1 or not first & second


def test_a_script_without_a_guard_is_told_so(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from igmc.jobs import drive, workers_for\n"
        "with workers_for('local', 2) as executor:\n    drive(executor, abs, [1], 2, print)\n"
    )
    done = subprocess.run([sys.executable, script], timeout=120, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "a worker process cannot start others; hint: put the call under `if __name__" in done.stderr
    assert "IgmcError: a worker process died as it started" in done.stderr.splitlines()[-1]
