"""LLVM's assembly language, written a line at a time.

A `Function` is text that grows: `op` adds an instruction and returns the name of its result, `loop` adds a counted loop.
Variables that change are `slot`s on the stack, which LLVM turns into registers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

__all__ = ["Function", "repeated"]


class Function:
    """The text of one function.

    Parameters
    ----------
    name : str
    parameters : sequence of str
        Each with its type: ``"ptr %rows"``.
    internal : bool
        Whether only this module calls it.
    attributes : str
        Of the function: ``"noinline nounwind"``.

    Examples
    --------
    >>> f = Function("twice", ["i64 %x"], returns="i64")
    >>> f.end(f.op("add i64 %x, %x"))
    >>> print(f)
    define i64 @twice(i64 %x) {
    start:
      %v1 = add i64 %x, %x
      ret i64 %v1
    }
    """

    def __init__(
        self,
        name: str,
        parameters: Sequence[str],
        *,
        returns: str = "void",
        internal: bool = False,
        attributes: str = "",
    ) -> None:
        self.returns = returns
        linkage = "internal " if internal else ""
        suffix = f" {attributes}" if attributes else ""
        self._head = f"define {linkage}{returns} @{name}({', '.join(parameters)}){suffix} {{"
        self._slots: list[str] = []
        self._lines: list[str] = []
        self._count = 0
        self._block = "start"

    def __str__(self) -> str:
        return "\n".join([self._head, "start:", *self._slots, *self._lines, "}"])

    def _fresh(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    def op(self, text: str) -> str:
        """Add an instruction, and return the name of its result."""
        name = self._fresh("%v")
        self._lines.append(f"  {name} = {text}")
        return name

    def do(self, text: str) -> None:
        """Add an instruction without a result."""
        self._lines.append(f"  {text}")

    def slot(self, kind: str, value: str | None = None, *, align: int | None = None) -> str:
        """Return a place on the stack for a variable, set to `value` here."""
        name = self._fresh("%s")
        self._slots.append(f"  {name} = alloca {kind}" + ("" if align is None else f", align {align}"))
        if value is not None:
            self.do(f"store {kind} {value}, ptr {name}")
        return name

    def at(self, kind: str, base: str, index: str | int) -> str:
        """Return the address of element `index` of an array."""
        return self.op(f"getelementptr inbounds {kind}, ptr {base}, i64 {index}")

    def load(self, kind: str, place: str, align: int) -> str:
        """Return what lies at an address."""
        return self.op(f"load {kind}, ptr {place}, align {align}")

    def get(self, kind: str, slot: str) -> str:
        """Return the value of a variable."""
        return self.op(f"load {kind}, ptr {slot}")

    def put(self, kind: str, value: str, slot: str) -> None:
        """Set a variable."""
        self.do(f"store {kind} {value}, ptr {slot}")

    def least(self, a: str, b: str | int) -> str:
        """Return the smaller of two numbers, i64."""
        return self.op(f"select i1 {self.op(f'icmp slt i64 {a}, {b}')}, i64 {a}, i64 {b}")

    @contextmanager
    def loop(self, start: str | int, stop: str | int, step: str | int = 1) -> Iterator[str]:
        """Add a loop whose body is what is added within, and yield its counter, an i64."""
        head, body, next_, end = (self._fresh(word) for word in ("head", "body", "next", "end"))
        before, now, then = self._block, self._fresh("%k"), self._fresh("%k")
        self.do(f"br label %{head}")
        self._begin(head)
        self.do(f"{now} = phi i64 [ {start}, %{before} ], [ {then}, %{next_} ]")
        more = self.op(f"icmp slt i64 {now}, {stop}")
        self.do(f"br i1 {more}, label %{body}, label %{end}")
        self._begin(body)
        yield now
        self.do(f"br label %{next_}")
        self._begin(next_)
        self.do(f"{then} = add nsw i64 {now}, {step}")
        self.do(f"br label %{head}")
        self._begin(end)

    def switch(self, number: str, n_cases: int) -> Iterator[int]:
        """Add a branch for each number below `n_cases`, and yield them one after the other."""
        blocks = [self._fresh("case") for _ in range(n_cases)]
        end = self._fresh("end")
        cases = " ".join(f"i64 {k}, label %{block}" for k, block in enumerate(blocks))
        self.do(f"switch i64 {number}, label %{end} [ {cases} ]")
        for k, block in enumerate(blocks):
            self._begin(block)
            yield k
            self.do(f"br label %{end}")
        self._begin(end)

    def _begin(self, block: str) -> None:
        self._lines.append(f"{block}:")
        self._block = block

    def splat(self, kind: str, element: str, value: str, lanes: int) -> str:
        """Return a vector whose lanes all hold one value."""
        one = self.op(f"insertelement {kind} poison, {element} {value}, i64 0")
        return self.op(f"shufflevector {kind} {one}, {kind} poison, <{lanes} x i32> zeroinitializer")

    def joined(self, parts: Sequence[str], lanes: int) -> str:
        """Return vectors of bits as one, the first lowest; their number is a power of two."""
        parts = list(parts)
        while len(parts) > 1:
            order = ", ".join(f"i32 {k}" for k in range(2 * lanes))
            parts = [
                self.op(
                    f"shufflevector <{lanes} x i1> {low}, <{lanes} x i1> {high}, <{2 * lanes} x i32> <{order}>"
                )
                for low, high in zip(parts[::2], parts[1::2], strict=True)
            ]
            lanes *= 2
        return parts[0]

    def end(self, value: str | None = None) -> None:
        """Add the return."""
        self.do("ret void" if value is None else f"ret {self.returns} {value}")


def repeated(element: str, value: int | str, lanes: int) -> str:
    """Return a constant vector, without its type.

    Examples
    --------
    >>> repeated("i64", 3, 2)
    '<i64 3, i64 3>'
    """
    return f"<{', '.join([f'{element} {value}'] * lanes)}>"
