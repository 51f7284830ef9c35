from contextlib import suppress

import pytest
import torch

from igmc.errors import ConfigError
from igmc.models.fused import stack
from igmc.training.device import on_device, pick_device


def test_a_cpu_is_always_there():
    assert pick_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(("count", "expected"), [(0, "cpu"), (2, "cuda")])
def test_auto_takes_cuda_where_there_is_one(monkeypatch, count, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    assert pick_device("auto").type == pick_device().type == expected


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


@pytest.mark.parametrize("threads", [None, 1, 3])
def test_the_threads_of_torch_come_back(threads):
    before, before_fused = torch.get_num_threads(), stack._threads
    torch.set_num_threads(2)
    try:
        with suppress(KeyboardInterrupt), on_device(torch.device("cpu"), threads):
            assert torch.get_num_threads() == 1
            assert stack._threads == (threads or before_fused)
            raise KeyboardInterrupt
        assert (torch.get_num_threads(), stack._threads) == (2, before_fused)
        with on_device(torch.device("cuda"), threads):
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
