"""The errors limen raises.

Every refusal is a `LimenError`. Its message says what was expected, what came, and what to do. Each
child is also the built-in error a Python programmer would expect in its place, so ``except ValueError``
keeps working.

========================  ==============================================================================
`InputError`              a value, an array, a name or a table is not of the form asked for
`FormulaError`            the text of a formula can't be read; knows the position
`NotExactError`           integers can't carry what was asked: a sum, a weight or a scale leaves int64
`TrainingError`           learning broke down (numbers overflowed)
`FileError`               a file is damaged, foreign, hostile, missing, or can't be written
`UndecidedError`          an answer is unknown so far, and was asked whether it is true
`MissingExtraError`       an optional dependency isn't installed; the message holds the install line
========================  ==============================================================================
"""

from __future__ import annotations

__all__ = [
    "FileError",
    "FormulaError",
    "InputError",
    "LimenError",
    "MissingExtraError",
    "NotExactError",
    "TrainingError",
    "UndecidedError",
]

EXCERPT = 60  # characters of a formula shown on either side of an error


class LimenError(Exception):
    """Base class of every error limen raises on purpose."""


class InputError(LimenError, ValueError):
    """A value, an array, a name or a table is not of the form asked for."""


class FormulaError(InputError):
    """The text of a formula can't be read.

    Parameters
    ----------
    reason : str
        What was expected and what came.
    text : str
        The formula.
    position : int
        Where in `text` reading stopped, counted in characters from 0.

    Examples
    --------
    >>> print(FormulaError("Expected an operand.", "a and", 5))
    Expected an operand. At character 6:
      a and
           ^
    """

    def __init__(self, reason: str, text: str, position: int) -> None:
        self.reason = reason
        self.text = text
        self.position = position
        line_start = text.rfind("\n", 0, position) + 1
        line_end = text.find("\n", position)
        line_end = line_end if line_end >= 0 else len(text)
        start, end = max(line_start, position - EXCERPT), min(line_end, position + EXCERPT)
        before = ("…" if start > line_start else "") + text[start:position]
        after = text[position:end] + ("…" if end < line_end else "")
        shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in before + after)
        super().__init__(f"{reason} At character {position + 1}:\n  {shown}\n  {' ' * len(before)}^")

    def __reduce__(self) -> tuple[type[FormulaError], tuple[str, str, int]]:
        return type(self), (self.reason, self.text, self.position)


class NotExactError(LimenError, ValueError):
    """Integers can't carry what was asked: a sum, a weight or a scale leaves int64."""


class TrainingError(LimenError, ValueError):
    """Learning broke down, for instance because numbers overflowed."""


class UndecidedError(LimenError, ValueError):
    """An answer is unknown so far, and was asked whether it is true."""


class FileError(LimenError, ValueError):
    """A file is damaged, foreign, hostile, missing, or can't be written."""


class MissingExtraError(LimenError, ImportError):
    """An optional dependency isn't installed.

    Parameters
    ----------
    package : str
        What could not be imported.
    extra : str
        The extra of limen that installs it.
    then : str, default ""
        What else to do, once it is installed.

    Examples
    --------
    >>> print(MissingExtraError("matplotlib", "plot"))
    matplotlib is not installed. Install it with: pip install "limen[plot]"
    """

    def __init__(self, package: str, extra: str, then: str = "") -> None:
        self.package = package
        self.extra = extra
        self.then = then
        install = f'{package} is not installed. Install it with: pip install "limen[{extra}]"'
        super().__init__(f"{install} {then}".rstrip())

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str, str]]:
        return type(self), (self.package, self.extra, self.then)
