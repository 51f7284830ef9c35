"""One more common neighbour counted: all sums of two nodes grow in a single instruction."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from igmc.compiled import inner

__all__ = ["SUMS", "add_row", "tally"]

SUMS = 8  # N, A, B, P, Q_u, Q_v, and two to fill a vector register


@intrinsic
def tally(typingctx, sums, node, x, w):
    """Add 1, x, w, xw, xx and ww to row `node`, which is 0 or more, of a contiguous float32 array [n, 8]."""

    def codegen(context, builder, signature, args):
        vector = ir.VectorType(ir.FloatType(), SUMS)
        row = context.cast(builder, args[1], signature.args[1], types.intp)
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        offset = builder.mul(row, ir.Constant(row.type, 4 * SUMS))
        pointer = cgutils.pointer_add(builder, data, offset, return_type=vector.as_pointer())
        # (1, x, 0, 0, xx, 0, 0, 0) + w * (0, 0, 1, x, 0, w, 0, 0): what goes by x alone leaves the loop.
        fixed = _placed(builder, {0: 1.0, 1: args[2], 4: builder.fmul(args[2], args[2])})
        factor = _placed(builder, {2: 1.0, 3: args[2], 5: args[3]})
        whole = _placed(builder, dict.fromkeys(range(SUMS), args[3]))
        added = builder.fadd(fixed, builder.fmul(whole, factor))
        builder.store(builder.fadd(builder.load(pointer, align=4), added), pointer, align=4)
        return context.get_dummy_value()

    return types.void(sums, node, types.float32, types.float32), codegen


def _placed(builder: Any, numbers: Any) -> Any:
    """A vector of these numbers, and of 0 in all other places."""
    found = ir.Constant(ir.VectorType(ir.FloatType(), SUMS), [0.0] * SUMS)
    for place, number in numbers.items():
        value = ir.Constant(ir.FloatType(), number) if isinstance(number, float) else number
        found = builder.insert_element(found, value, ir.Constant(ir.IntType(32), place))
    return found


@inner
def add_row(sums, near, residual, at, last, bound, x):
    """Tally a rating of residual x with those in at..last-1 of nodes below `bound`; returns where it ends."""
    while at < last and near[at] < bound:
        tally(sums, near[at], x, residual[at])
        at += 1
    return at
