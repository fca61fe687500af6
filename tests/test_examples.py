"""The examples: the tables are as their page says, and the scripts run."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import pytest

from limen.table import column_names, columns
from limen.table_files import read
from shell import EXAMPLES

TABLES = {
    "breast_cancer": ("diagnosis", 569, {"malignant": 212, "benign": 357}, 30, 0, ()),
    "iris": ("species", 150, {"setosa": 50, "versicolor": 50, "virginica": 50}, 4, 0, ()),
    "adult": (
        "income",
        3000,
        {"<=50K": 2266, ">50K": 734},
        6,
        8,
        ("workclass", "occupation", "native-country"),
    ),
    "recurrence": (
        "class",
        286,
        {"no-recurrence-events": 201, "recurrence-events": 85},
        1,
        8,
        ("node-caps", "breast-quad"),
    ),
}
WORDS = {
    "logic.py": ("y fires when a − b ≥ 1", "1 + 1 + 1 = 3", "Equal: True", "Loaded: True"),
    "perceptron.py": ("Right on new rows: 8", "Most frequent class: 75.6%", "binary, exact)"),
    "several_outputs.py": ("even: 9", "has a loop: 9", "3 heaviside"),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_have_the_rows_columns_and_gaps_that_their_page_names(name):
    """Rows, classes, kinds of columns, and which columns have missing values."""
    target, n_rows, classes, n_numbers, n_texts, with_gaps = TABLES[name]
    table = read(EXAMPLES / f"{name}.csv")
    found = columns(table)
    values = found.pop(target).values.tolist()
    assert len(values) == n_rows
    assert {label: values.count(label) for label in set(values)} == classes
    kinds = [column.kind for column in found.values()]
    assert (kinds.count("number"), kinds.count("text")) == (n_numbers, n_texts)
    assert tuple(column.name for column in found.values() if column.missing.any()) == with_gaps


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_its_source_and_licence_beside_it(name):
    """The page names the table, its columns, a source with a link, a licence."""
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    section = page.split(f"\n## {name}.csv\n")[1].split("\n## ")[0]
    assert "https://doi.org/" in section
    assert "Licence: CC BY" in section
    assert f"`{TABLES[name][0]}`" in section
    if name != "breast_cancer":  # whose columns come in threes and are named once
        for column in column_names(read(EXAMPLES / f"{name}.csv")) or ():
            assert f"`{column}`" in section


def test_every_script_is_run():
    """No script is left out."""
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(WORDS)


@pytest.mark.parametrize("name", WORDS)
def test_scripts_run_and_print_what_they_promise(name, tmp_path, monkeypatch, capsys):
    """A script runs as a program, in a folder of its own, and is short."""
    for path in EXAMPLES.iterdir():
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(tmp_path / name), run_name="__main__")
    printed = capsys.readouterr().out
    for words in WORDS[name]:
        assert words in printed
    assert len(Path(name).read_text(encoding="utf-8").splitlines()) <= 40
