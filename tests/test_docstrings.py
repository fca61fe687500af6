"""Every example in a docstring is run, and every public name has a docstring."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import limen


def modules(name: str, folders: list[str]) -> Iterator[str]:
    """Yield the names of a package and of all modules in it, without importing any."""
    yield name
    for found in pkgutil.iter_modules(folders):
        inner = f"{name}.{found.name}"
        if found.ispkg:
            yield from modules(inner, [str(Path(folder, found.name)) for folder in folders])
        elif found.name != "__main__":  # importing that one would run it
            yield inner


MODULES = list(modules("limen", list(limen.__path__)))


def failed_examples(module: ModuleType) -> tuple[int, str]:
    """Return how many examples of a module failed, and the report."""
    report: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, module.__name__):
        runner.run(test, out=report.append)
    return runner.failures, "".join(report)


@pytest.mark.parametrize("name", MODULES)
def test_examples_run_as_written(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each example prints what its docstring says; what one writes goes to an empty folder; a warning is an error."""
    monkeypatch.chdir(tmp_path)
    failures, report = failed_examples(importlib.import_module(name))
    assert failures == 0, report


@pytest.mark.parametrize("name", [name for name in MODULES if "._" not in name])
def test_public_names_have_docstrings(name: str) -> None:
    """A module and what it lists in `__all__`, classes with their public methods and properties, say what they are."""
    module = importlib.import_module(name)
    assert module.__doc__, name
    for public in getattr(module, "__all__", []):
        value = getattr(module, public)
        if not inspect.isclass(value) and not inspect.isfunction(value):
            continue
        assert inspect.getdoc(value), f"{name}.{public}"
        members = vars(value).items() if inspect.isclass(value) else []
        for member, inside in members:
            if not member.startswith("_") and (inspect.isfunction(inside) or isinstance(inside, property)):
                assert inspect.getdoc(getattr(value, member)), f"{name}.{public}.{member}"


def test_modules_are_found() -> None:
    """The list holds the package, its modules and those of its packages."""
    assert {"limen", "limen.network", "limen._door", "limen.rewrite", "limen.rewrite._simplify"} <= set(
        MODULES
    )


def test_a_wrong_example_is_found() -> None:
    """An example that prints something else, or warns, fails."""
    wrong = ModuleType(
        "wrong", ">>> 1 + 1\n3\n>>> import warnings; warnings.warn('old', stacklevel=1)\n>>> 2\n2\n"
    )
    failures, report = failed_examples(wrong)
    assert failures == 2
    assert "Expected:\n    3\nGot:\n    2" in report
