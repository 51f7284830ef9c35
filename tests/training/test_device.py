from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import torch

from igmc.errors import ConfigError
from igmc.training.device import on_device, pick_device


def test_a_cpu_is_always_there():
    assert pick_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(("count", "expected"), [(0, "cpu"), (2, "cuda")])
def test_auto_takes_cuda_where_there_is_one(monkeypatch, count, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    assert pick_device("auto").type == pick_device().type == expected


def test_each_process_of_torchrun_takes_a_device_of_its_own(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    found = [str(pick_device(name, local=1)) for name in ("auto", "cuda", "cuda:0", "cpu")]
    assert found == ["cuda:1", "cuda:1", "cuda:0", "cpu"]


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "cpu:0", "CUDA", "mps", ""])
def test_other_names_are_refused(name):
    with pytest.raises(ConfigError, match=r"unknown device; got .*; allowed: auto, cpu, cuda, cuda:N"):
        pick_device(name)


@pytest.mark.parametrize(("name", "count"), [("cuda", 0), ("cuda:0", 0), ("cuda:2", 2)])
def test_a_device_that_is_not_there_is_refused(monkeypatch, name, count):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    with pytest.raises(
        ConfigError, match=f"no such CUDA device; got '{name}'; allowed: {count} found.*--device cpu"
    ):
        pick_device(name)


def test_a_device_that_is_there_is_taken(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert pick_device("cuda:1") == torch.device("cuda", 1)


def test_on_a_cpu_torch_has_one_thread_for_a_while_in_this_thread_alone():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with suppress(KeyboardInterrupt), on_device(torch.device("cpu")):
            assert torch.get_num_threads() == 1
            with ThreadPoolExecutor(1) as other:
                assert other.submit(torch.get_num_threads).result() == 2
            raise KeyboardInterrupt
        assert torch.get_num_threads() == 2
        with on_device(torch.device("cuda")):
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
