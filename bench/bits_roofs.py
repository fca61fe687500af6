"""What one thread of this processor could do at most: loops whose counts, sums and products stay in registers."""

from __future__ import annotations

import ctypes

import numpy as np

from bench.timing import seconds
from limen.bits._llvm import compiled, host
from limen.bits._matrix_text import CONFIGURED, DECLARED, RELEASED
from limen.bits._text import Function
from limen.bits._tools import aligned

__all__ = ["roofs"]


def _counting_text() -> str:
    """Return a loop that counts: four registers of weights, six words of rows, all counts in registers."""
    lanes = host().lanes
    kind = f"<{lanes} x i64>"
    f = Function("count", ["ptr %w", "ptr %x", "i64 %n", "ptr %out"], attributes="nounwind")
    weights = [f.load(kind, f.at(kind, "%w", k), 8) for k in range(4)]
    counts = [f.slot(kind, "zeroinitializer") for _ in range(24)]
    with f.loop(0, "%n") as k:
        base = f.op(f"mul i64 {f.op(f'and i64 {k}, 255')}, 6")
        for r in range(6):
            word = f.load("i64", f.at("i64", "%x", f.op(f"add i64 {base}, {r}")), 8)
            x = f.splat(kind, "i64", word, lanes)
            for v in range(4):
                bits_ = f.op(
                    f"call {kind} @llvm.ctpop.v{lanes}i64({kind} {f.op(f'xor {kind} {x}, {weights[v]}')})"
                )
                count = counts[6 * v + r]
                f.put(kind, f.op(f"add {kind} {f.get(kind, count)}, {bits_}"), count)
    for k, count in enumerate(counts):
        f.do(f"store {kind} {f.get(kind, count)}, ptr {f.at(kind, '%out', k)}, align 8")
    f.end()
    return str(f)


def _adding_text() -> str:
    """Return a loop of full adders: eight chains of sums, their carries gathered by OR."""
    target = host()
    kind = f"<{target.lanes} x i64>"
    f = Function("adders", ["ptr %x", "i64 %n", "ptr %out"], attributes="nounwind")
    sums = [f.slot(kind, "zeroinitializer") for _ in range(12)]
    with f.loop(0, "%n") as k:
        base = f.op(f"mul i64 {f.op(f'and i64 {k}, 31')}, 2")
        a, b = (f.load(kind, f.at(kind, "%x", f.op(f"add i64 {base}, {j}")), 8) for j in range(2))
        for chain, place in enumerate(sums):
            s = f.get(kind, place)
            t = f.get(kind, sums[(chain + 5) % 12])
            if target.ternary:
                name = f"@llvm.x86.avx512.pternlog.q.{target.register_bits}"
                one = f.op(f"call {kind} {name}({kind} {s}, {kind} {a}, {kind} {b}, i32 150)")
                two = f.op(f"call {kind} {name}({kind} {t}, {kind} {a}, {kind} {one}, i32 232)")
            else:
                half = f.op(f"xor {kind} {s}, {a}")
                one = f.op(f"xor {kind} {half}, {b}")
                both = f.op(f"and {kind} {half}, {t}")
                two = f.op(f"or {kind} {both}, {f.op(f'and {kind} {s}, {one}')}")
            f.put(kind, two, place)
    for k, place in enumerate(sums):
        f.do(f"store {kind} {f.get(kind, place)}, ptr {f.at(kind, '%out', k)}, align 8")
    f.end()
    return str(f)


def _products_text() -> str:
    """Return a loop of products in matrix registers: four sums, and what they are made of loaded from the first cache."""
    f = Function("products", ["ptr %x", "ptr %w", "i64 %n", "ptr %out"], attributes="nounwind")
    f.do(CONFIGURED)
    for register in range(8):
        f.do(f"call void @llvm.x86.tilezero(i8 {register})")
    with f.loop(0, "%n") as k:
        first = f.op(f"shl i64 {f.op(f'and i64 {k}, 7')}, 1")
        for i in range(2):
            for register, base in ((4 + i, "%x"), (6 + i, "%w")):
                place = f.at("[1024 x i8]", base, f.op(f"add i64 {first}, {i}"))
                f.do(f"call void @llvm.x86.tileloadd64(i8 {register}, ptr {place}, i64 64)")
        for i in range(2):
            for j in range(2):
                f.do(f"call void @llvm.x86.tdpbusd(i8 {2 * i + j}, i8 {4 + i}, i8 {6 + j})")
    f.do("call void @llvm.x86.tilestored64(i8 0, ptr %out, i64 64)")
    f.do(RELEASED)
    f.end()
    return f"{DECLARED}\n\n{f}"


def roofs() -> dict[str, float]:
    """Return multiply-accumulates a second: by counting bits, by full adders of sliced rows, and by matrix registers if there are."""
    parts = [_counting_text(), _adding_text(), *([_products_text()] if host().matrices else [])]
    code = compiled("\n\n".join(parts), host())
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    count = code.function("count", [pointer, pointer, number, pointer])
    adders = code.function("adders", [pointer, number, pointer])
    room, out = aligned((1 << 14,)), aligned((1 << 12,))
    room[:] = np.random.default_rng(0).integers(0, 2**63, len(room), dtype=np.uint64)
    n, found = 2_000_000, {}
    per_step = {"count": 24 * host().register_bits, "adders": 12 * host().register_bits}
    calls = {
        "count": lambda: count(room.ctypes.data, room.ctypes.data, n, out.ctypes.data),
        "adders": lambda: adders(room.ctypes.data, n, out.ctypes.data),
    }
    if host().matrices:
        products = code.function("products", [pointer, pointer, number, pointer])
        per_step["products"] = 4 * 16 * 16 * 64
        calls["products"] = lambda: products(room.ctypes.data, room.ctypes.data, n // 10, out.ctypes.data)
    steps = {"count": n, "adders": n, "products": n // 10}
    for _ in range(15):  # in turns: what slows a processor down for a while slows all of them
        for name, call in calls.items():
            rate = steps[name] * per_step[name] / seconds(call)[0]
            found[name] = max(found.get(name, 0.0), rate)
    return found
