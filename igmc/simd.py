"""Rows of floats as values for Numba kernels: loaded, combined in registers, stored.

Numba cannot tell LLVM that two arrays do not overlap, so plain inner loops over a row keep going through
memory. A row that is one value of an LLVM vector type stays in registers. The width of a row is carried by
the type of `lanes`, a tuple of that length, so one kernel serves every width and is cached for each.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import carray, types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

from igmc.compiled import shared

__all__ = [
    "add", "columns", "div", "fma", "larger", "load", "mul", "number", "put", "rows_at", "scaled", "splat",
    "sqrt", "store", "sub", "take", "tanh", "total", "where_positive",
]  # fmt: skip


class Row(types.Type):
    """Numba's type of one row of `width` float32."""

    def __init__(self, width: int) -> None:
        self.width = width
        super().__init__(name=f"Row({width})")


@register_model(Row)
class _RowModel(models.PrimitiveModel):
    def __init__(self, manager: Any, row: Row) -> None:
        super().__init__(manager, row, ir.VectorType(ir.FloatType(), row.width))


def _address(context: Any, builder: Any, array_type: Any, array: Any, row: Any, width: int) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    offset = builder.mul(row, ir.Constant(row.type, 4 * width))
    vector = ir.VectorType(ir.FloatType(), width)
    return cgutils.pointer_add(builder, data, offset, return_type=vector.as_pointer())


@intrinsic
def load(typingctx, lanes, array, index):
    """Row number `index` of a contiguous float32 array whose last axis is as long as `lanes`."""
    width = len(lanes)

    def codegen(context, builder, signature, args):
        row = context.cast(builder, args[2], signature.args[2], types.intp)
        return builder.load(_address(context, builder, signature.args[1], args[1], row, width), align=4)

    return Row(width)(lanes, array, index), codegen


@intrinsic
def store(typingctx, array, index, value):
    """Write a row to where `load` would read it."""

    def codegen(context, builder, signature, args):
        row = context.cast(builder, args[1], signature.args[1], types.intp)
        pointer = _address(context, builder, signature.args[0], args[0], row, signature.args[2].width)
        builder.store(args[2], pointer, align=4)
        return context.get_dummy_value()

    return types.void(array, index, value), codegen


@intrinsic
def number(typingctx, array, index):
    """Element number `index`, 0 or more, of a contiguous array of any shape."""

    def codegen(context, builder, signature, args):
        array_type = signature.args[0]
        pointer = _element(context, builder, array_type, args[0], signature.args[1], args[1])
        return context.unpack_value(builder, array_type.dtype, pointer)

    return array.dtype(array, index), codegen


@intrinsic
def columns(typingctx, lanes):
    """A tuple of zeros like `lanes`, as long as the part of a row that two registers hold; see `part_of`."""
    part = part_of(len(lanes), _register())
    found = types.UniTuple(types.int64, part)

    def codegen(context, builder, signature, args):
        return context.get_constant_generic(builder, found, (0,) * part)

    return found(lanes), codegen


def part_of(width: int, register: int) -> int:
    """The largest divisor of a row's width from one register to two; the width if there is none."""
    most = min(2 * register, width)
    return next((part for part in range(most, register - 1, -1) if width % part == 0), width)


def _register() -> int:
    """How many floats a vector register of this processor holds."""
    return 16 if get_host_cpu_features().get("avx512f") else 8


@intrinsic
def put(typingctx, array, index, value):
    """Write where `number` would read."""

    def codegen(context, builder, signature, args):
        array_type = signature.args[0]
        pointer = _element(context, builder, array_type, args[0], signature.args[1], args[1])
        number = context.cast(builder, args[2], signature.args[2], array_type.dtype)
        context.pack_value(builder, array_type.dtype, number, pointer)
        return context.get_dummy_value()

    return types.void(array, index, value), codegen


@intrinsic
def _pointer(typingctx, address):
    """The pointer to the float32 at a memory address, an int64."""

    def codegen(context, builder, signature, args):
        return builder.inttoptr(args[0], ir.FloatType().as_pointer())

    return types.CPointer(types.float32)(types.int64), codegen


@shared
def rows_at(address, rows, width):
    """The contiguous float32 array [rows, width] at a memory address; who calls keeps it alive."""
    return carray(_pointer(address), (rows, width))


@intrinsic
def take(typingctx, counter):
    """The value of a one-element int64 array, which grows by 1; no two threads get the same."""

    def codegen(context, builder, signature, args):
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        return builder.atomic_rmw("add", data, ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(counter), codegen


def _element(context: Any, builder: Any, array_type: Any, array: Any, index_type: Any, index: Any) -> Any:
    at = context.cast(builder, index, index_type, types.intp)
    return builder.gep(context.make_array(array_type)(context, builder, array).data, [at], inbounds=True)


@intrinsic
def splat(typingctx, lanes, scalar):
    """A row of one repeated number."""
    row = Row(len(lanes))

    def codegen(context, builder, signature, args):
        return _splat(context, builder, signature.args[1], args[1], row.width)

    return row(lanes, scalar), codegen


def _splat(context: Any, builder: Any, scalar_type: Any, scalar: Any, width: int) -> Any:
    vector = ir.VectorType(ir.FloatType(), width)
    number = context.cast(builder, scalar, scalar_type, types.float32)
    zero = ir.Constant(ir.IntType(32), 0)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), number, zero)
    mask = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), mask)


def _binary(name: str, operation: str) -> Any:
    def typed(typingctx, a, b):
        def codegen(context, builder, signature, args):
            return getattr(builder, operation)(*args)

        return a(a, b), codegen

    typed.__name__ = typed.__qualname__ = name
    return intrinsic(typed)


add, sub, mul, div = (_binary(name, "f" + name) for name in ("add", "sub", "mul", "div"))


@intrinsic
def fma(typingctx, a, b, c):
    """A * b + c, rounded once where the processor can; `a` may be a number."""

    def codegen(context, builder, signature, args):
        left = args[0]
        if not isinstance(signature.args[0], Row):
            left = _splat(context, builder, signature.args[0], left, signature.args[1].width)
        vector = args[1].type
        name = f"llvm.fmuladd.v{vector.count}f32"
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector, vector, vector]), name
        )
        return builder.call(function, [left, args[1], args[2]])

    return c(a, b, c), codegen


@intrinsic
def scaled(typingctx, scalar, row):
    """A number times a row."""

    def codegen(context, builder, signature, args):
        left = _splat(context, builder, signature.args[0], args[0], signature.args[1].width)
        return builder.fmul(left, args[1])

    return row(scalar, row), codegen


@intrinsic
def _clamped(typingctx, row, bound):
    """Each element held within -bound .. bound; NaN stays NaN."""

    def codegen(context, builder, signature, args):
        value = args[0]
        high = _splat(context, builder, signature.args[1], args[1], signature.args[0].width)
        low = builder.fneg(high)
        value = builder.select(builder.fcmp_ordered(">", value, high), high, value)
        return builder.select(builder.fcmp_ordered("<", value, low), low, value)

    return row(row, bound), codegen


@shared
def tanh(lanes, x):
    """Hyperbolic tangent within 3e-7, by the rational approximation of Eigen's `generic_fast_tanh_float`."""
    x = _clamped(x, 7.90531110763549805)
    x2 = mul(x, x)
    p = fma(x2, splat(lanes, -2.76076847742355e-16), splat(lanes, 2.00018790482477e-13))
    p = fma(x2, p, splat(lanes, -8.60467152213735e-11))
    p = fma(x2, p, splat(lanes, 5.12229709037114e-08))
    p = fma(x2, p, splat(lanes, 1.48572235717979e-05))
    p = fma(x2, p, splat(lanes, 6.37261928875436e-04))
    p = fma(x2, p, splat(lanes, 4.89352455891786e-03))
    q = fma(x2, splat(lanes, 1.19825839466702e-06), splat(lanes, 1.18534705686654e-04))
    q = fma(x2, q, splat(lanes, 2.26843463243900e-03))
    q = fma(x2, q, splat(lanes, 4.89352518554385e-03))
    return div(mul(x, p), q)


@intrinsic
def where_positive(typingctx, gate, row):
    """`row` where `gate` is above 0, else 0; ``where_positive(x, x)`` is ReLU."""

    def codegen(context, builder, signature, args):
        zero = ir.Constant(args[0].type, [0.0] * signature.args[0].width)
        return builder.select(builder.fcmp_ordered(">", args[0], zero), args[1], zero)

    return row(gate, row), codegen


@intrinsic
def sqrt(typingctx, row):
    """The square root of each element."""

    def codegen(context, builder, signature, args):
        vector = args[0].type
        name = f"llvm.sqrt.v{vector.count}f32"
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector]), name)
        return builder.call(function, [args[0]])

    return row(row), codegen


@intrinsic
def larger(typingctx, a, b):
    """The larger of each two elements; that of `b` where `a` is NaN."""

    def codegen(context, builder, signature, args):
        return builder.select(builder.fcmp_ordered(">", *args), *args)

    return a(a, b), codegen


@intrinsic
def total(typingctx, row):
    """The sum of the elements, in an order that the processor likes."""

    def codegen(context, builder, signature, args):
        vector = args[0].type
        name = f"llvm.vector.reduce.fadd.v{vector.count}f32"
        number = ir.FloatType()
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(number, [number, vector]), name
        )
        return builder.call(function, [ir.Constant(number, -0.0), args[0]], fastmath=("reassoc",))

    return types.float32(row), codegen
