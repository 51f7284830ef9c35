import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from igmc import threads
from igmc.threads import away, cores, pool, set_torch_threads


def in_new_thread(work, *args):
    with ThreadPoolExecutor(1) as new:
        return new.submit(work, *args).result()


def test_the_number_of_torch_is_set_for_one_thread_alone():
    here, elsewhere = torch.get_num_threads(), in_new_thread(torch.get_num_threads)

    def work():
        before = set_torch_threads(elsewhere + 2)
        return before, torch.get_num_threads(), in_new_thread(torch.get_num_threads)

    assert in_new_thread(work) == (elsewhere, elsewhere + 2, elsewhere)
    assert torch.get_num_threads() == here


def test_work_goes_to_a_thread_with_one_thread_of_torch():
    def work(k, *, add):
        inner = away(threading.get_ident)
        return k + add, threading.get_ident(), inner, torch.get_num_threads()

    result, thread, inner, count = away(work, 1, add=2)
    assert (result, count) == (3, 1)
    assert thread != threading.get_ident()
    assert thread == inner, "what is away already goes no further, else all threads could wait for others"
    with pytest.raises(ZeroDivisionError):
        away(lambda: 1 / 0)


def test_many_are_away_at_once_and_the_default_of_torch_stays():
    elsewhere = in_new_thread(torch.get_num_threads)
    in_new_thread(torch.set_num_threads, 3)
    all_of_them = threading.Barrier(20)

    def work():
        all_of_them.wait(30)
        return torch.get_num_threads()

    try:
        with ThreadPoolExecutor(20) as callers:
            assert set(callers.map(lambda _: away(work), range(20))) == {1}
        assert in_new_thread(torch.get_num_threads) == 3
    finally:
        in_new_thread(torch.set_num_threads, elsewhere)


@pytest.mark.skipif(cores() == 1, reason="BLAS has one thread anyway")
@pytest.mark.parametrize("first_ends_first", [True, False])
def test_blas_has_one_thread_until_the_last_of_overlapping_calls_ends(first_ends_first):
    script = f"""
from concurrent.futures import ThreadPoolExecutor
from threadpoolctl import threadpool_info
from igmc.threads import one_blas_thread

def threads():
    return {{one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}}

def elsewhere(work, *args):
    with ThreadPoolExecutor(1) as new:
        return new.submit(work, *args).result()

def end(call):
    call.__exit__(None, None, None)

before = threads()
for _ in range(2):
    calls = one_blas_thread(), one_blas_thread()
    found = [before]
    calls[0].__enter__()
    elsewhere(calls[1].__enter__)
    found.append(threads())
    first, second = calls if {first_ends_first} else calls[::-1]
    end(first)
    found.append(threads())
    elsewhere(end, second)
    found.append(threads())
    try:
        with one_blas_thread():
            raise KeyError
    except KeyError:
        found.append(threads())
    assert found == [before, {{1}}, {{1}}, before, before], found
"""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": str(cores())}
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60, env=environment)


def test_a_pool_is_made_once_a_name_and_number_of_threads():
    assert pool("test", 2) is pool("test", 2)
    assert pool("test", 2) is not pool("test", 3)
    assert pool("test", 2) is not pool("test-other", 2)


def test_the_cores_are_those_that_this_process_may_use():
    one = min(os.sched_getaffinity(0))
    script = f"import os; os.sched_setaffinity(0, [{one}]); from igmc.threads import cores; print(cores())"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (int(found.stdout), cores()) == (1, len(os.sched_getaffinity(0)))


@pytest.mark.parametrize("allowed", [5, 6, 8])
def test_processes_of_torchrun_share_the_cores_unless_each_has_its_own(monkeypatch, allowed):
    monkeypatch.setattr(threads, "_allowed", lambda process: allowed if process == 0 else 8)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    found = []
    for rank in range(3):
        monkeypatch.setenv("LOCAL_RANK", str(rank))
        found.append(cores())
    assert found == ([3, 3, 2] if allowed == 8 else [allowed] * 3)


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
