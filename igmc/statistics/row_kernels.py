"""The twelve inputs of a neighbour, made for many neighbours at once.

A block holds what the inputs are computed from, one quantity after the other for 64 neighbours, so that the
compiler can make eight or sixteen of them with each instruction: that is some forty times as fast as one row
after the other.
"""

from __future__ import annotations

import numpy as np

from igmc.compiled import inner
from igmc.statistics.inputs import FARTHEST, ROW_WIDTH

__all__ = ["BLOCK", "clipped", "gather", "make_block", "write_rows"]

BLOCK = 64  # neighbours
GIVEN = 10  # e, N, A, B, P, Q_u, Q_v, and of the neighbour the bias, the dispersion and log1p of the degree
_LOG1P = np.log1p(np.arange(1024, dtype=np.float32))  # of most counts there are
_OUT = GIVEN * BLOCK
_ZERO, _ONE, _TWO = np.float32(0), np.float32(1), np.float32(2)
_THREE, _FIVE, _SIX, _TEN = np.float32(3), np.float32(5), np.float32(6), np.float32(10)


@inner
def make_block():
    """Room for a block."""
    return np.zeros((GIVEN + ROW_WIDTH) * BLOCK, np.float32)


@inner
def clipped(x):
    """The nearest number within -8 .. 8."""
    x = x if x > -FARTHEST else -FARTHEST
    return x if x < FARTHEST else FARTHEST


@inner
def gather(block, k, e, sums, place, facts):
    """Put a neighbour in place k of the block: its residual, row `place` of the shared sums, its facts."""
    block[k] = e
    for f in range(6):
        block[(f + 1) * BLOCK + k] = sums[place, f]
    block[7 * BLOCK + k], block[8 * BLOCK + k], block[9 * BLOCK + k] = facts


@inner
def write_rows(block, count, norm, rows, at):
    """Write the inputs of the first `count` neighbours of the block to rows[at:at + count].

    Args:
        block: see `gather`.
        norm: float32 [2, 12], what is subtracted from each input, and what it is multiplied by then.
        rows: float32 [R, 12].
    """
    for k in range(count):
        N = block[BLOCK + k]
        block[_OUT + BLOCK + k] = _LOG1P[np.int64(N)] if np.float32(1024) > N else np.log1p(N)
    # Always the whole block: a loop of constant length over constant distances needs no check.
    for k in range(BLOCK):
        N, A, B = block[BLOCK + k], block[2 * BLOCK + k], block[3 * BLOCK + k]
        P, Q_u, Q_v = block[4 * BLOCK + k], block[5 * BLOCK + k], block[6 * BLOCK + k]
        some = max(N, _ONE)
        centred_u, centred_v = max(Q_u - A * A / some, _ZERO), max(Q_v - B * B / some, _ZERO)
        block[_OUT + k], block[_OUT + 2 * BLOCK + k] = block[k], block[9 * BLOCK + k]
        block[_OUT + 3 * BLOCK + k] = P / np.sqrt((Q_u + _THREE) * (Q_v + _THREE))
        block[_OUT + 4 * BLOCK + k] = P / (N + _TEN)
        block[_OUT + 5 * BLOCK + k] = (Q_u + Q_v - P - P + _SIX) / (N + _THREE) - _TWO
        block[_OUT + 6 * BLOCK + k], block[_OUT + 7 * BLOCK + k] = A / (N + _FIVE), B / (N + _FIVE)
        block[_OUT + 8 * BLOCK + k] = P / (np.sqrt(N) + _ONE)
        block[_OUT + 9 * BLOCK + k], block[_OUT + 10 * BLOCK + k] = (
            block[8 * BLOCK + k] - _ONE,
            block[7 * BLOCK + k],
        )
        block[_OUT + 11 * BLOCK + k] = (P - A * B / some) / np.sqrt(
            (centred_u + _THREE) * (centred_v + _THREE)
        )
    for f in range(ROW_WIDTH):
        low, scale = norm[0, f], norm[1, f]
        for k in range(BLOCK):
            block[_OUT + f * BLOCK + k] = clipped((block[_OUT + f * BLOCK + k] - low) * scale)
    for k in range(count):
        for f in range(ROW_WIDTH):
            rows[at + k, f] = block[_OUT + f * BLOCK + k]
