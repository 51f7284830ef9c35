"""Where a result was made: the machine, and the versions of what computed it."""

from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path

__all__ = ["machine", "versions"]


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that the numbers depend on."""
    names = ("igmc", "torch", "numpy", "numba", "scipy", "h5py")
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in names}


def machine() -> str:
    """Processor and operating system, in words."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = f"{len(models)} x {models[0]}" if models else platform.processor() or platform.machine()
    return f"{processor}, {platform.system()}"
