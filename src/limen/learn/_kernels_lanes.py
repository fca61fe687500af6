"""Lanes: the numbers one vector register holds, for loops whose order of summation must be fixed.

A compiler that vectorises a sum picks the order itself, and another one for another loop. Here a sum has
`lanes` partial sums, each in the order of the columns, whose halves are added pairwise at the end. So a net input
is the same to the bit whether its row is computed alone or in a block with others.

In compiled code these are the processor's vector registers, the widest it has (AVX-512, AVX, else 128 bits):
`Lanes` is a numba type for an LLVM vector. Without the compiler they are short NumPy arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

from limen.step import Array

__all__ = [
    "MANY_REGISTERS",
    "lanes",
    "load",
    "load_rest",
    "multiply_add",
    "prefetch",
    "spread",
    "store",
    "total",
]


def _features() -> dict[str, bool]:
    try:
        return dict(binding.get_host_cpu_features())
    except RuntimeError:  # LLVM can't tell on every system
        return {}


_FEATURES = _features()
MANY_REGISTERS = bool(_FEATURES.get("avx512f") or _FEATURES.get("neon"))  # 32 of them, else 16
BITS = 512 if _FEATURES.get("avx512f") else 256 if _FEATURES.get("avx") else 128


@njit(forceinline=True)
def lanes(like: Array) -> Any:
    """Return how many numbers of the type of `like` one register holds."""
    return BITS // (8 * like.itemsize)


# Without the compiler ------------------------------------------------------------------------------------------


def _load(array: Array, row: int, column: int, like: Array) -> Any:
    return array[row, column : column + lanes(like)].astype(like.dtype)


def _load_rest(array: Array, row: int, column: int, like: Array) -> Any:
    values = np.zeros(lanes(like), like.dtype)
    rest = array[row, column:]
    values[: len(rest)] = rest
    return values


def _spread(value: Any, like: Array) -> Any:
    return np.full(lanes(like), value, like.dtype)


def _store(values: Any, array: Array, column: int) -> None:
    array[column : column + len(values)] = values


def _multiply_add(x: Any, y: Any, z: Any) -> Any:
    return x * y + z


def _total(values: Any) -> Any:
    while len(values) > 1:
        values = values[: len(values) // 2] + values[len(values) // 2 :]
    return values[0]


def _prefetch(array: Array, row: int, column: int) -> None:
    """Do nothing: only a hint."""


# Compiled ------------------------------------------------------------------------------------------------------


class Lanes(types.Type):  # type: ignore[misc]  # numba has no types
    """The numba type of one register full of numbers."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"Lanes({dtype}, {BITS})")


def _vector(dtype: Any) -> ir.VectorType:
    kind = ir.FloatType() if dtype == types.float32 else ir.DoubleType()
    return ir.VectorType(kind, BITS // dtype.bitwidth)


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, lanes_type: Lanes) -> None:
        super().__init__(manager, lanes_type, _vector(lanes_type.dtype))


def _place(context: Any, builder: Any, kind: Any, array: Any, row: Any, column: Any) -> Any:
    """Return where an element lies; rows may be strided, columns lie side by side."""
    made = context.make_array(kind)(context, builder, array)
    strides = cgutils.unpack_tuple(builder, made.strides, kind.ndim)
    offset = builder.mul(column, ir.Constant(ir.IntType(64), kind.dtype.bitwidth // 8))
    if row is not None:
        offset = builder.add(offset, builder.mul(row, strides[0]))
    return builder.gep(builder.bitcast(made.data, ir.IntType(8).as_pointer()), [offset])


def _read(context: Any, builder: Any, signature: Any, place: Any, n: Any) -> Any:
    """Read lanes, `n` of them if that isn't None, and turn them into the wanted type."""
    kind, vector = signature.args[0].dtype, _vector(signature.return_type.dtype)
    element = context.get_data_type(kind)
    stored = ir.VectorType(element, vector.count)
    place = builder.bitcast(place, stored.as_pointer())
    align = kind.bitwidth // 8
    if n is None:
        values = builder.load(place, align=align)
    else:
        number = ir.IntType(64)
        numbers = ir.VectorType(number, vector.count)
        undefined = ir.Constant(numbers, ir.Undefined)
        first = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), None)
        limit = builder.insert_element(undefined, n, ir.Constant(ir.IntType(32), 0))
        limit = builder.shuffle_vector(limit, undefined, first)
        mask = builder.icmp_signed("<", ir.Constant(numbers, list(range(vector.count))), limit)
        suffix = {"float": "f32", "double": "f64"}.get(str(element), str(element))
        takes = [stored.as_pointer(), ir.IntType(32), mask.type, stored]
        masked = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(stored, takes),
            f"llvm.masked.load.v{vector.count}{suffix}.p0",
        )
        nothing = ir.Constant(stored, None)
        values = builder.call(masked, [place, ir.Constant(ir.IntType(32), align), mask, nothing])
    if isinstance(kind, types.Integer):
        convert = builder.sitofp if kind.signed else builder.uitofp
        return convert(values, vector)
    return values if stored == vector else builder.fpext(values, vector)


def _load_compiled(context: Any, array: Any, row: Any, column: Any, like: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        place = _place(context, builder, signature.args[0], given[0], given[1], given[2])
        return _read(context, builder, signature, place, None)

    return Lanes(like.dtype)(array, types.int64, types.int64, like), generate


def _load_rest_compiled(context: Any, array: Any, row: Any, column: Any, like: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = signature.args[0]
        place = _place(context, builder, kind, given[0], given[1], given[2])
        shape = cgutils.unpack_tuple(
            builder, context.make_array(kind)(context, builder, given[0]).shape, kind.ndim
        )
        return _read(context, builder, signature, place, builder.sub(shape[1], given[2]))

    return Lanes(like.dtype)(array, types.int64, types.int64, like), generate


def _spread_compiled(context: Any, value: Any, like: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        vector = _vector(signature.return_type.dtype)
        undefined = ir.Constant(vector, ir.Undefined)
        one = builder.insert_element(undefined, given[0], ir.Constant(ir.IntType(32), 0))
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), None)
        return builder.shuffle_vector(one, undefined, everywhere)

    return Lanes(like.dtype)(like.dtype, like), generate


def _store_compiled(context: Any, values: Any, array: Any, column: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        place = _place(context, builder, signature.args[1], given[1], None, given[2])
        place = builder.bitcast(place, given[0].type.as_pointer())
        builder.store(given[0], place, align=signature.args[1].dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(values, array, types.int64), generate


def _multiply_add_compiled(context: Any, x: Any, y: Any, z: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        vector = given[0].type
        suffix = "f32" if isinstance(vector.element, ir.FloatType) else "f64"
        fused = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fmuladd.v{vector.count}{suffix}"
        )
        return builder.call(fused, given)

    return x(x, x, x), generate


def _total_compiled(context: Any, values: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        (vector,) = given
        index = ir.IntType(32)
        count = vector.type.count
        while count > 1:
            count //= 2
            undefined = ir.Constant(vector.type, ir.Undefined)
            places = ir.VectorType(index, count)
            halves = [
                builder.shuffle_vector(vector, undefined, ir.Constant(places, list(half)))
                for half in (range(count), range(count, 2 * count))
            ]
            vector = builder.fadd(*halves)
        return builder.extract_element(vector, ir.Constant(index, 0))

    return values.dtype(values), generate


def _prefetch_compiled(context: Any, array: Any, row: Any, column: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        place = _place(context, builder, signature.args[0], given[0], given[1], given[2])
        number = ir.IntType(32)
        hint = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [place.type, number, number, number]),
            "llvm.prefetch.p0",
        )
        # For reading, into the second-level cache, of data: the first level's few open requests are soon used up.
        builder.call(hint, [place, *(ir.Constant(number, choice) for choice in (0, 2, 1))])
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64), generate


def _either(plain: Callable[..., Any], compiled: Callable[..., Any]) -> Any:
    return plain if config.DISABLE_JIT else intrinsic(compiled)


load = _either(_load, _load_compiled)
"""``load(array, row, column, like)``: lanes of a row from `column` on, as numbers of the type of `like`."""

load_rest = _either(_load_rest, _load_rest_compiled)
"""``load_rest(array, row, column, like)``: the same where the row ends before the register; zeros beyond."""

spread = _either(_spread, _spread_compiled)
"""``spread(value, like)``: one number of the type of `like` in every lane."""

store = _either(_store, _store_compiled)
"""``store(values, array, column)``: write lanes into an array of one dimension and the same type."""

multiply_add = _either(_multiply_add, _multiply_add_compiled)
"""``multiply_add(x, y, z)``: ``x * y + z``, rounded once where the processor can."""

total = _either(_total, _total_compiled)
"""``total(values)``: the sum of the lanes, halves added pairwise."""

prefetch = _either(_prefetch, _prefetch_compiled)
"""``prefetch(array, row, column)``: ask for the line of the cache with this element, which needn't exist."""
