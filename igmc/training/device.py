"""The device for training, and the threads of torch on a CPU."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from igmc.errors import ConfigError
from igmc.threads import one_torch_thread

__all__ = ["on_device", "pick_device"]


def pick_device(name: str = "auto", local: int | None = None) -> torch.device:
    """The device of a name: "cpu", "cuda", "cuda:N", or "auto" for CUDA where there is one.

    Args:
        name: of the device.
        local: number of this process among those that torchrun has started here, each of which takes the
            CUDA device of its own number; None where it has started none.

    Raises:
        ConfigError: on another name, or on a CUDA device that does not exist.
    """
    if local is not None and (name == "cuda" or (name == "auto" and torch.cuda.is_available())):
        name = f"cuda:{local}"
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not re.fullmatch(r"cpu|cuda(:\d+)?", name):
        raise ConfigError("unknown device", got=name, allowed="auto, cpu, cuda, cuda:N")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(
            "no such CUDA device",
            got=name,
            allowed=f"{torch.cuda.device_count()} found by torch {torch.__version__}",
            remedy="use --device cpu, or install a build of torch for your GPU",
        )
    return device


@contextmanager
def on_device(device: torch.device) -> Iterator[None]:
    """While it lasts, torch has one thread here if the device is a CPU, whose cores belong to the kernels."""
    if device.type != "cpu":
        yield
        return
    with one_torch_thread():
        yield
