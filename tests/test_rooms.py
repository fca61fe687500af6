"""The house: which room may import which, and which file may import what is heavy.

The sources are read with `ast`, so that imports inside functions and for type checkers count too.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

import limen

SOURCES = Path(limen.__file__).parent

GROUND = ["errors", "step", "words"]  # lowest first
MAKERS = {"logic", "learn"}
USERS = {"draw", "export", "bits", "proof"}
ABOVE = "cli"
ROOMS = MAKERS | USERS | {ABOVE}
LAZY = {"load": "export", "save": "export"}  # what `limen` itself hands out of a room

DOORS = {
    # dependency: (which files may import it, how many of them may)
    "numba": ("learn/_kernels*.py bits/_kernels*.py", None),
    "llvmlite": ("learn/_kernels*.py bits/_llvm.py", 2),  # comes with Numba; one file of each room
    "matplotlib": ("draw/*.py", 1),
    "safetensors": ("export/*.py", 1),
    "pyarrow": ("table_files.py", 1),
    "sklearn": ("learn/*.py", None),
    "joblib": ("learn/*.py", 1),  # comes with scikit-learn
    "typer": ("cli/*.py", None),
    "rich": ("cli/*.py", None),
    "highspy": ("_solver.py", 1),
    "ortools": ("_solver.py", 1),
    "flint": ("_rational.py", 1),
    "sympy": ("logic/*.py", 1),
    "keras": ("learn/*.py", 1),
    "onnx": ("export/*.py", 1),
    "skl2onnx": ("export/*.py", 1),
    "pysat": ("export/*.py", 1),
    "pandas": ("", 0),
    "polars": ("", 0),
    "numpy": ("*.py */*.py", None),
    "scipy": ("*.py */*.py", None),
}


# The checker --------------------------------------------------------------------------------------------------


def sources() -> dict[str, str]:
    """Return every source of the package by its path inside it."""
    return {path.relative_to(SOURCES).as_posix(): path.read_text("utf-8") for path in SOURCES.rglob("*.py")}


def imports(path: str, source: str) -> Iterator[tuple[str, bool]]:
    """Yield the dotted names a source imports, and whether it does so as soon as it is imported itself."""
    package = ["limen", *PurePosixPath(path).parts[:-1]]
    for node, at_once in _statements(ast.parse(source), at_once=True):
        if isinstance(node, ast.Import):
            yield from ((alias.name, at_once) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((f"{module}.{alias.name}", at_once) for alias in node.names)
        elif (
            isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "limen"
        ):
            yield f"limen.{node.attr}", False  # limen.draw loads a room as an import does
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func) and node.args:
            name = node.args[0]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield name.value, at_once


def _statements(tree: ast.AST, *, at_once: bool) -> Iterator[tuple[ast.AST, bool]]:
    for node in ast.iter_child_nodes(tree):
        later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        later = later or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
        yield node, at_once and not later
        yield from _statements(node, at_once=at_once and not later)


def place(name: str) -> str | None:
    """Return which room or hall module of limen a dotted name lies in; None where it isn't limen's."""
    parts = name.split(".")
    if parts[0] != "limen" or len(parts) == 1:
        return None
    return LAZY.get(parts[1], parts[1])


def wrong_imports(files: dict[str, str]) -> list[str]:
    """Return what breaks the room table: a sentence for each import that may not be."""
    top = {PurePosixPath(path).parts[0].removesuffix(".py") for path in files}
    wrong = []
    for path, source in files.items():
        here = PurePosixPath(path).parts[0].removesuffix(".py")
        if here == "__init__":
            continue  # the front door, which hands the rooms out
        for name, _ in imports(path, source):
            there = place(name)
            if there is None or there == here or there not in top | ROOMS:
                continue
            if here in GROUND:
                if there not in GROUND[: GROUND.index(here)]:
                    wrong.append(f"{path} is on the ground floor and imports {name}")
            elif there == ABOVE:
                wrong.append(f"{path} imports {name}: nothing imports the command line")
            elif here in ROOMS - {ABOVE} and there in ROOMS:
                wrong.append(f"{path} imports {name}: makers and users never import each other")
            elif here not in ROOMS and there in ROOMS:
                wrong.append(f"{path} is in the hall and imports {name}")
    return wrong


def circles(files: dict[str, str]) -> list[str]:
    """Return hall modules that import each other in a circle as soon as they are imported."""
    needs: dict[str, set[str]] = {}
    for path, source in files.items():
        here = PurePosixPath(path).parts[0].removesuffix(".py")
        found = {place(name) for name, at_once in imports(path, source) if at_once} - {None, here}
        needs.setdefault(here, set()).update(str(name) for name in found)
    needs.pop("__init__", None)
    while removable := [name for name, below in needs.items() if not below & needs.keys()]:
        for name in removable:
            del needs[name]
    return sorted(needs)


def wrong_doors(files: dict[str, str]) -> list[str]:
    """Return imports of dependencies by a file that isn't their door, and imports of what has no door."""
    found: dict[str, set[str]] = {}
    for path, source in files.items():
        for name, _ in imports(path, source):
            top = name.split(".")[0]
            if top and top not in sys.stdlib_module_names and top != "limen":
                found.setdefault(top, set()).add(path)
    wrong = []
    for dependency, paths in sorted(found.items()):
        if dependency not in DOORS:
            wrong.append(f"{dependency} has no door, and {sorted(paths)} import it")
            continue
        patterns, most = DOORS[dependency]
        outside = [
            path for path in sorted(paths) if not any(_fits(path, pattern) for pattern in patterns.split())
        ]
        wrong += [f"{path} imports {dependency}" for path in outside]
        if most is not None and len(paths) > most:
            wrong.append(f"{dependency} is imported by {len(paths)} files: {sorted(paths)}")
    return wrong


def _fits(path: str, pattern: str) -> bool:
    return len(PurePosixPath(path).parts) == len(PurePosixPath(pattern).parts) and PurePosixPath(path).match(
        pattern
    )


# The house ----------------------------------------------------------------------------------------------------


def test_rooms_import_downwards_only() -> None:
    """Makers and users know the hall, the hall knows neither, nobody knows the command line."""
    assert wrong_imports(sources()) == []


def test_no_circles() -> None:
    """No module needs itself to be imported."""
    assert circles(sources()) == []


def test_heavy_dependencies_have_one_door() -> None:
    """Each dependency is imported where the table says, and nothing else is imported at all."""
    assert wrong_doors(sources()) == []


def test_no_file_for_everything() -> None:
    """No module has a name that says nothing, and none is longer than 500 lines."""
    for path, source in sources().items():
        assert not {"utils", "core", "common", "helpers"} & {
            part.removesuffix(".py") for part in path.split("/")
        }
        assert len(source.splitlines()) <= 500, path


def test_errors_import_nothing() -> None:
    """The lowest stone stands on Python alone."""
    assert [name for name, _ in imports("errors.py", sources()["errors.py"])] == ["__future__.annotations"]


HOUSE = dict.fromkeys(["errors.py", "step.py", "network.py", "model.py", "rewrite/__init__.py"], "")


@pytest.mark.parametrize(
    ("path", "source", "complaint"),
    [
        ("learn/fit.py", "from limen.draw import diagram", "makers and users never import each other"),
        ("learn/fit.py", "import limen.logic", "makers and users never import each other"),
        ("learn/fit.py", "from limen import draw", "makers and users never import each other"),
        ("learn/fit.py", "import limen\nlimen.save(1, 2)", "makers and users never import each other"),
        ("learn/deep/fit.py", "from ...export import save", "makers and users never import each other"),
        ("learn/fit.py", "from .. import export", "makers and users never import each other"),
        ("draw/svg.py", "def f():\n    from limen.learn import Perceptron", "never import each other"),
        ("draw/svg.py", "if TYPE_CHECKING:\n    from limen import export", "never import each other"),
        ("draw/svg.py", "importlib.import_module('limen.logic')", "never import each other"),
        ("draw/svg.py", "from limen.cli import main", "nothing imports the command line"),
        ("model.py", "from limen import cli", "nothing imports the command line"),
        ("network.py", "from limen import draw", "in the hall"),
        ("rewrite/_new.py", "from limen.logic import parse", "in the hall"),
        ("step.py", "from limen.network import Layer", "on the ground floor"),
        ("errors.py", "from limen import step", "on the ground floor"),
    ],
)
def test_the_checker_finds_a_wrong_import(path: str, source: str, complaint: str) -> None:
    """A source that breaks the table is named, in whatever form it imports."""
    wrong = wrong_imports({**HOUSE, path: source})
    assert len(wrong) == 1
    assert path in wrong[0]
    assert complaint in wrong[0]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("learn/fit.py", "from limen import Layer, Network, rewrite, errors\nfrom limen.learn import other"),
        ("learn/fit.py", "from limen.model import Model\nfrom . import other\nfrom .other import thing"),
        ("cli/new.py", "from limen import learn, draw, export, logic"),
        ("rewrite/_new.py", "from limen.network import Network\nfrom limen.step import Array"),
        ("step.py", "from limen.errors import LimenError"),
        ("draw/svg.py", "'from limen.learn import Perceptron'  # text isn't an import"),
    ],
)
def test_the_checker_lets_good_imports_pass(path: str, source: str) -> None:
    """What the table allows isn't reported."""
    assert wrong_imports({**HOUSE, path: source}) == []


@pytest.mark.parametrize(
    ("path", "source", "complaint"),
    [
        ("learn/perceptron.py", "from numba import njit", "learn/perceptron.py imports numba"),
        ("draw/_svg.py", "import matplotlib.pyplot\n", "matplotlib is imported by 2 files"),
        ("export/other.py", "def f():\n    import safetensors.numpy", "safetensors is imported by 2 files"),
        ("model.py", "import pyarrow.csv", "model.py imports pyarrow"),
        ("cli/new.py", "from sklearn.model_selection import train_test_split", "cli/new.py imports sklearn"),
        ("draw/_svg.py", "from rich import print", "draw/_svg.py imports rich"),
        ("table_files.py", "import pandas, pyarrow", "table_files.py imports pandas"),
        ("network.py", "import torch", "torch has no door"),
    ],
)
def test_the_checker_finds_a_wrong_door(path: str, source: str, complaint: str) -> None:
    """A dependency imported elsewhere, by two files, or without being in the table is named."""
    doors = {
        "draw/plot.py": "import matplotlib",
        "export/file.py": "import safetensors",
        "table_files.py": "import pyarrow",
    }
    wrong = wrong_doors({**doors, path: source})
    assert any(complaint in sentence for sentence in wrong)
    assert wrong_doors(doors) == []


def test_the_checker_finds_a_circle() -> None:
    """Two modules that need each other at once are named; an import inside a function is no circle."""
    one = {"network.py": "from limen import compose", "compose.py": "import limen.network"}
    assert circles(one) == ["compose", "network"]
    assert circles({**one, "network.py": "def f():\n    from limen import compose"}) == []


# What an import loads -----------------------------------------------------------------------------------------

HEAVY = sorted(set(DOORS) - {"numpy"})


def loaded_after(statement: str) -> set[str]:
    """Return the modules a fresh Python has loaded after a statement."""
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


def test_import_limen_loads_numpy_only() -> None:
    """Nothing heavy is loaded, and no room."""
    loaded = loaded_after("import limen")
    assert "numpy" in loaded
    assert "limen.network" in loaded
    assert not loaded & set(HEAVY)
    assert not loaded & {f"limen.{room}" for room in ROOMS}


def test_a_network_of_dense_layers_needs_numpy_only() -> None:
    """Building, calling, printing, composing and rewriting load nothing else."""
    loaded = loaded_after(
        "import limen\n"
        "net = limen.Network(limen.Layer([[1.5], [1]], [-2]), domain='binary')\n"
        "twin = limen.rewrite.simplify(limen.rewrite.split_sign(limen.rewrite.to_integers(net)))\n"
        "both = twin.then(limen.Network(limen.Layer([[1]], [0]), outputs='z')).beside(net, inputs='same')\n"
        "both([[0, 1]]), str(both), both.select('z')"
    )
    assert not loaded & set(HEAVY)


def test_the_check_of_what_is_loaded_can_fail() -> None:
    """A Python that imports SciPy is seen to have done so."""
    assert loaded_after("import limen, scipy.sparse") & set(HEAVY) == {"scipy"}


@pytest.mark.parametrize("room", sorted(room for room in ROOMS - {ABOVE} if (SOURCES / room).exists()))
def test_rooms_load_on_first_use(room: str) -> None:
    """`limen.<room>` is there without an import of its own, and loads no other room."""
    loaded = loaded_after(f"import limen\nlimen.{room}")
    assert {name for name in ROOMS if f"limen.{name}" in loaded} == {room}
