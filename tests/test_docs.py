"""The pages are true: their Python runs, their commands run, and what they show is what comes out."""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import shlex
import shutil
from pathlib import Path

import pytest

from shell import limen

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = (
    "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/limen fit examples/breast_cancer.csv --target diagnosis",
    'python3 -m venv .venv && .venv/bin/pip install ".[test]" && .venv/bin/pytest',
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$(?:\n+^```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[tuple[str, str, str | None]]:
    """Return each block's language, its text, and the ``text`` block that follows it as its output."""
    return [(match[1], match[2], match[3]) for match in BLOCK.finditer(page)]


def differences(page: str) -> list[str]:
    """Run the Python blocks of a page in order, as one session, and return where the page isn't true."""
    session: dict[str, object] = {"__name__": "page"}
    wrong: list[str] = []
    for language, text, output in blocks(page):
        if language != "python":
            continue
        if ">>>" in text:
            test = doctest.DocTestParser().get_doctest(text, session, "page", None, 0)
            found = io.StringIO()
            doctest.DocTestRunner(verbose=False).run(test, out=found.write, clear_globs=False)
            session.update(test.globs)
            wrong += [found.getvalue()] * bool(found.getvalue())
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(text, "page", "exec"), session)
        if output is not None and printed.getvalue() != output:
            wrong.append(f"Expected:\n{output}Got:\n{printed.getvalue()}")
    return wrong


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_python_block_of_a_page_runs_and_shows_what_comes_out(page):
    """The blocks of a page run in order in one session, and each output is as printed there."""
    assert differences(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "page",
    [
        "```python\n>>> 1 + 1\n3\n```\n",
        "```python\n>>> undefined\n```\n",
        "```python\nprint(2)\n```\n\n```text\n3\n```\n",
        "```python\n>>> a = 1\n```\ntext\n```python\n>>> a\n2\n```\n",
    ],
)
def test_an_untrue_page_would_be_found(page):
    """A wrong or missing output is a difference, in both styles, across blocks."""
    assert differences(page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_shown_on_a_page_prints_what_stands_there(page):
    """A ``console`` block is a command and its standard output, to the letter."""
    shutil.copytree(ROOT / "examples", "examples")
    for language, text, _ in blocks(page.read_text(encoding="utf-8")):
        if language == "console":
            command, _, expected = text.partition("\n")
            program, *arguments = shlex.split(command.removeprefix("$ "))
            assert program == "limen"
            assert limen(*arguments).out == expected


def test_the_two_commands_stand_in_the_readme_as_they_are_run():
    """They are lines of their own, so that whoever runs them, runs what people read."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("python3 -m venv")] == list(COMMANDS)


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "CHANGELOG.md", ROOT / "examples" / "README.md"], ids=lambda page: page.name
)
def test_links_to_other_pages_lead_somewhere(page):
    """Every link within the repository is a file that is there."""
    prose = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", prose):
        assert (page.parent / target).exists(), target
