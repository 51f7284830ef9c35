"""Room in memory, asked for before code that aborts the process where it gets none."""

from __future__ import annotations

import mmap

__all__ = ["require_room"]


def require_room(size: int, what: str) -> None:
    """See that so many bytes of addresses are left, as under a low ``ulimit -v`` they may not be.

    Args:
        size: in bytes.
        what: what needs them, for the message.

    Raises:
        MemoryError: if they are not.
    """
    try:
        # Neither read nor written: a question of addresses alone, not of how much memory the machine has.
        mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=0).close()
    except OSError as error:
        raise MemoryError(f"{what} takes up to {size >> 20} MiB of addresses") from error
