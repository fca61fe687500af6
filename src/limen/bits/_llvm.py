"""The door to LLVM: text in its assembly language becomes functions that can be called.

`Target` says for which processor; the default is this one, with all it can do. `compiled` returns `Code`, which holds the
functions' addresses for as long as it lives. What was compiled can be kept as bytes and loaded again (`object_code`).
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, final

import llvmlite
from llvmlite import binding

from limen.errors import InputError

__all__ = ["VERSION", "Code", "Target", "compiled", "host", "target"]

VERSION = f"llvmlite {llvmlite.__version__}, LLVM {'.'.join(map(str, binding.llvm_version_info))}"
"""What compiles."""


@final
@dataclass(frozen=True)
class Target:
    """A processor to compile for.

    Parameters
    ----------
    cpu : str
        As LLVM names it.
    features : str
        What it has beyond, or hasn't: ``"+avx2,-avx512f"``.
    register_bits : int
        Width of a vector register: 512, 256 or 128.
    counts_words : bool
        Whether one instruction counts the bits of each 64-bit lane (AVX-512 VPOPCNTDQ).
    ternary : bool
        Whether one instruction takes any Boolean function of three registers (AVX-512).
    matrices : bool
        Whether there are matrix registers for products of bytes (AMX), and the system lets us use them.
    """

    cpu: str
    features: str
    register_bits: int
    counts_words: bool
    ternary: bool
    matrices: bool

    @property
    def lanes(self) -> int:
        """64-bit words in a vector register."""
        return self.register_bits // 64


@cache
def _ready() -> None:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()


@cache
def host() -> Target:
    """Return this processor."""
    _ready()
    try:
        features = dict(binding.get_host_cpu_features())
    except RuntimeError:  # LLVM can't tell on every system
        features = {}
    return _target(binding.get_host_cpu_name(), features)


def _target(cpu: str, features: dict[str, bool]) -> Target:
    wide = bool(features.get("avx512f") and features.get("avx512bw") and features.get("avx512vl"))
    bits = 512 if wide else 256 if features.get("avx2") else 128
    flat = ",".join(f"{'+' if on else '-'}{name}" for name, on in sorted(features.items()))
    counts = wide and bool(features.get("avx512vpopcntdq"))
    matrices = counts and bool(features.get("amx-tile") and features.get("amx-int8")) and _matrices_allowed()
    return Target(cpu, flat, bits, counts, wide, matrices)


def _matrices_allowed() -> bool:
    """Ask the system for the matrix registers: Linux keeps them from a process that hasn't.

    Source: Linux kernel, Documentation/arch/x86/xstate.rst, dynamically enabled features.
    """
    if not sys.platform.startswith("linux"):
        return False
    arch_prctl, request, matrix_data = 158, 0x1023, 18
    try:
        return bool(ctypes.CDLL(None).syscall(arch_prctl, request, matrix_data) == 0)
    except (AttributeError, OSError):
        return False


_AVX512 = {"avx512f": True, "avx512bw": True, "avx512vl": True, "avx2": True}
_LEVELS: dict[str, tuple[str, dict[str, bool]]] = {
    "baseline": ("", {}),
    "avx2": ("x86-64-v3", {"avx2": True, "popcnt": True}),
    "avx512": ("x86-64-v4", _AVX512),
    "avx512_vpopcntdq": ("x86-64-v4", {**_AVX512, "avx512vpopcntdq": True}),
}


def target(name: str | None) -> Target:
    """Return a processor by name.

    None is this one, ``"baseline"`` any of its kind; ``"avx2"``, ``"avx512"``; ``"avx512_vpopcntdq"`` also counts the bits of words.

    Raises
    ------
    InputError
        Another name, or more than this processor has.
    """
    here = host()
    if name is None:
        return here
    if not isinstance(name, str) or name not in _LEVELS:
        raise InputError(f"processor must be None, {', '.join(map(repr, _LEVELS))}. Received: {name!r}.")
    cpu, features = _LEVELS[name]
    missing = [feature for feature in features if f"+{feature}" not in here.features.split(",")]
    if missing:
        raise InputError(
            f"This processor has no {missing[0]}. Received: processor={name!r}; take None or 'baseline'."
        )
    flat = ",".join(f"+{feature}" for feature in features)
    known = _target(cpu, features)
    return Target(cpu or "generic", flat, known.register_bits, known.counts_words, known.ternary, False)


@final
class Code:
    """Compiled functions.

    Parameters
    ----------
    engine : llvmlite.binding.ExecutionEngine
    target_machine : llvmlite.binding.TargetMachine
    module : llvmlite.binding.ModuleRef
    object_code : bytes
        What may be kept and loaded again.
    """

    def __init__(self, engine: Any, machine: Any, module: Any, object_code: bytes) -> None:
        self._engine, self._machine, self._module = engine, machine, module
        self.object_code = object_code

    def function(self, name: str, arguments: Sequence[Any], returns: Any = None) -> Any:
        """Return a function that releases Python's lock while it runs."""
        address = self._engine.get_function_address(name)
        return ctypes.CFUNCTYPE(returns, *arguments)(address)

    @property
    def assembly(self) -> str:
        """The processor's instructions, as text."""
        return str(self._machine.emit_assembly(self._module))


def compiled(text: str, target: Target, *, object_code: bytes | None = None, effort: int = 2) -> Code:
    """Return the functions of a module.

    Parameters
    ----------
    text : str
        LLVM assembly.
    target : Target
    object_code : bytes, optional
        What `Code.object_code` was for the same text and processor: nothing is compiled then.
    effort : int
        Of the optimiser, 0 to 3.
    """
    _ready()
    machine = binding.Target.from_default_triple().create_target_machine(
        cpu=target.cpu, features=target.features, opt=effort, jit=True
    )
    module = binding.parse_assembly(text)
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    kept: list[bytes] = []
    if object_code is None:
        options = binding.create_pipeline_tuning_options(speed_level=effort)
        options.loop_vectorization = options.slp_vectorization = False
        builder = binding.create_pass_builder(machine, options)
        builder.getModulePassManager().run(module, builder)
    engine = binding.create_mcjit_compiler(module, machine)
    engine.set_object_cache(lambda _, data: kept.append(bytes(data)), lambda _: object_code)
    engine.finalize_object()
    return Code(engine, machine, module, object_code or kept[0])
