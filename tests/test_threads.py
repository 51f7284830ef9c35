import os
import subprocess
import sys

import pytest

from igmc.threads import cores, pool


def test_a_pool_is_made_once_a_name_and_number_of_threads():
    assert pool("test", 2) is pool("test", 2)
    assert pool("test", 2) is not pool("test", 3)
    assert pool("test", 2) is not pool("test-other", 2)


def test_the_cores_are_those_that_this_process_may_use():
    one = min(os.sched_getaffinity(0))
    script = f"import os; os.sched_setaffinity(0, [{one}]); from igmc.threads import cores; print(cores())"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (int(found.stdout), cores()) == (1, len(os.sched_getaffinity(0)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_has_pools_of_its_own():
    script = """
import os
from igmc.threads import pool

assert pool("test", 1).submit(os.getpid).result() == os.getpid()
child = os.fork()
if not child:
    os._exit(pool("test", 1).submit(os.getpid).result(timeout=20) != os.getpid())
raise SystemExit(os.waitpid(child, 0)[1])
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, timeout=60)
