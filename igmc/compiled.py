"""How kernels are compiled, and where their machine code is kept: one way for all.

Numba's own cache takes machine code for fresh as long as the file of the compiled function stays the same. A
kernel also holds the code of every function that it calls, of whatever file, and the layout of the records
that it is given. So here machine code is kept in a folder named after a digest of all sources that a kernel
can be made of and of Numba's version: what was compiled from other sources is never run. These are the
modules that import or name this one, and the records of all others, whose other lines may change. The folders
stand in $NUMBA_CACHE_DIR if that is set, else in ``<home>/kernels``; where they cannot be written, each
process compiles for itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import shutil
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, NullCache, _CacheLocator
from numba.extending import register_jitable

from igmc.errors import IgmcError
from igmc.files import home_dir
from igmc.memory import require_room

__all__ = ["inner", "kernel", "kernel_folder", "shared"]

logger = logging.getLogger(__name__)

PACKAGE = Path(__file__).parent
COMPILES = b"igmc.compiled"  # names it: all of such a module is a source of kernels
RECORD = re.compile(rb"^class \w+\(NamedTuple\b.*\):\n(?:(?:[ \t].*)?\n)*", re.MULTILINE)
PREFIX = "igmc-"
ROOM = 256 << 20  # bytes that compiling or loading a kernel may take; LLVM aborts where it finds less
KEPT = 5  # digests whose machine code stays, so that a few versions can be used in turn

shared = register_jitable  # for functions that Python calls as they are, and kernels compiled


def kernel(function: Callable[..., Any] | None = None, /, *, any_order: bool = False) -> Any:
    """Compile a function that Python calls; others may run at the same time, as it releases the GIL.

    Args:
        function: what to compile, for each combination of argument types at its first call.
        any_order: sums may be taken in any order and products fused with them, which lets a loop over a sum
            use vector instructions. Results are then those of one processor type only, to the last bit.
    """
    return _compiled(function, any_order)


def inner(function: Callable[..., Any] | None = None, /, *, any_order: bool = False) -> Any:
    """As `kernel`, for a function that only kernels call: its machine code is part of theirs."""
    return _compiled(function, any_order, for_python=False)


def _compiled(function: Callable[..., Any] | None, any_order: bool, for_python: bool = True) -> Any:
    if function is None:
        return partial(_compiled, any_order=any_order, for_python=for_python)
    options = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
    fastmath = {"contract", "reassoc"} if any_order else False
    found = numba.njit(**options, fastmath=fastmath, no_cpython_wrapper=not for_python)(function)
    if for_python and not numba.config.DISABLE_JIT:
        # as `Dispatcher.enable_caching` does
        found._cache = _Uncached() if kernel_folder() is None else _Cache(function)
    return found


@cache
def kernel_folder() -> Path | None:
    """Where the machine code of these sources is kept, whether or not the folder is there yet.

    None if it cannot be kept, so that each process compiles for itself.
    """
    try:
        base = Path(numba.config.CACHE_DIR or home_dir() / "kernels").absolute()
        return base / f"{PREFIX}{digest(PACKAGE)}"
    except IgmcError as error:
        _warn(error.what)
    except OSError as error:
        _warn(str(error))
    return None


def digest(package: Path) -> str:
    """16 hexadecimal digits that change with Numba and with each source that a kernel can be made of.

    Raises:
        OSError: if the sources are not files, as in a zip file.
    """
    found = hashlib.sha256(numba.__version__.encode())
    found.update((package / "compiled.py").read_bytes())  # in a zip file there is none to be read
    for path in sorted(package.rglob("*.py")):
        source = sources_of_kernels(path.read_bytes())
        if source:
            found.update(f"\0{path.relative_to(package)}\0{len(source)}\0".encode())
            found.update(source)
    return found.hexdigest()[:16]


def sources_of_kernels(module: bytes) -> bytes:
    """What a kernel can be made of in the source of a module: all, or its records, which may be none."""
    return module if COMPILES in module else b"".join(RECORD.findall(module))


class _Locator(_CacheLocator):  # type: ignore[misc]
    """Tells Numba the file names."""

    def __init__(self, function: Callable[..., Any], file: str) -> None:
        self._py_file = file  # Numba reads it
        self._name = f"{function.__module__}-{function.__code__.co_firstlineno}"

    @classmethod
    def from_function(cls, function: Callable[..., Any], file: str) -> _Locator:
        return cls(function, file)

    def get_cache_path(self) -> str:
        return str(kernel_folder())

    def get_source_stamp(self) -> str:
        return Path(self.get_cache_path()).name

    def get_disambiguator(self) -> str:
        return self._name

    def ensure_cache_path(self) -> None:
        folder = Path(self.get_cache_path())
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            _remove_oldest(folder.parent)


class _Files(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_Locator,)


class _Uncached(NullCache):  # type: ignore[misc]
    """No machine code is kept."""

    def load_overload(self, signature: Any, target: Any) -> None:
        require_room(ROOM, "compiling a kernel")


class _Cache(FunctionCache):  # type: ignore[misc]
    """The machine code of one function: what cannot be read is compiled again."""

    _impl_class = _Files

    def load_overload(self, signature: Any, target: Any) -> Any:
        require_room(ROOM, "compiling a kernel")
        _mark_used()
        try:
            found = super().load_overload(signature, target)
            if found is None:
                _tell_compiling()
            return found
        except Exception as error:  # damaged files make pickle and LLVM raise nearly anything
            logger.info("recompiling %s: %s: %s", self._name, type(error).__name__, error)
            with contextlib.suppress(OSError):
                self.flush()
            return None

    def save_overload(self, signature: Any, result: Any) -> None:
        try:
            super().save_overload(signature, result)
        except OSError as error:
            _warn(str(error))


@cache
def _tell_compiling() -> None:
    """Once in a process: commands that run after an installation wait for it."""
    logger.info("compiling kernels on first use; they are kept for later runs")


@cache
def _mark_used() -> None:
    folder = kernel_folder()
    if folder is not None:
        with contextlib.suppress(OSError):  # it is not there yet, or for reading only
            os.utime(folder)


def _remove_oldest(base: Path) -> None:
    """Remove the machine code of all digests but those last used."""
    used = {}
    for folder in base.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # another process may remove it too
            used[folder] = folder.stat().st_mtime
    for folder in sorted(used, key=used.__getitem__, reverse=True)[KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)


_warned: list[str] = []


def _warn(reason: str) -> None:
    """Say once why each process compiles for itself."""
    if not _warned:
        logger.warning(
            "compiled kernels cannot be cached, so each process recompiles them: %s; "
            "hint: set IGMC_HOME to a folder that can be written",
            reason,
        )
    _warned.append(reason)
