"""Files are written whole or not at all, whatever goes wrong on the way."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from limen._files import read_bytes, reading, write_atomically
from limen.errors import FileError, InputError

OLD, NEW = b"the old contents", b"the new contents, which are longer"

posix = pytest.mark.skipif(os.name != "posix", reason="signals, limits and devices are POSIX")


def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def first_byte(path):
    """Read the first byte of a file."""
    with reading(path) as (stream, _):
        return stream.read(1)


# What is written ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"\x00", NEW, bytes(range(256)) * 5000])
@pytest.mark.parametrize("as_text", [True, False])
def test_what_is_written_is_read_back(tmp_path, data, as_text):
    """A new file and a replaced one hold the bytes given, and nothing else is left in the folder."""
    path = tmp_path / "file"
    for contents in (OLD, data):
        write_atomically(str(path) if as_text else path, contents)
        assert read_bytes(str(path) if as_text else path) == contents
    with reading(path) as (stream, size):
        assert (stream.read(3), stream.read(), size) == (data[:3], data[3:], len(data))
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("name", ["ä b.limen", "名" * 80, "-", "a\nb", ".part", "x" * 255])
def test_any_name_the_system_takes(tmp_path, name):
    """Names with spaces, line ends, other scripts, or of the greatest length are names of files."""
    write_atomically(tmp_path / name, NEW)
    assert read_bytes(tmp_path / name) == NEW
    assert os.listdir(tmp_path) == [name]


def test_a_relative_path(tmp_path, monkeypatch):
    """A path without a folder means the current one."""
    monkeypatch.chdir(tmp_path)
    write_atomically("file", NEW)
    assert (tmp_path / "file").read_bytes() == NEW


@posix
def test_permissions(tmp_path):
    """A new file has the permissions the process gives to new files; a replaced one keeps its own."""
    path, own = tmp_path / "file", tmp_path / "made by Python"
    before = os.umask(0o027)
    try:
        write_atomically(path, OLD)
        own.write_bytes(OLD)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(own.stat().st_mode) == 0o640
    path.chmod(0o604)
    write_atomically(path, NEW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


@posix
def test_links_stay_links(tmp_path):
    """What a symbolic link points to is replaced, also where nothing is there yet; the link stays."""
    (tmp_path / "folder").mkdir()
    target, link, far = tmp_path / "folder" / "target", tmp_path / "link", tmp_path / "far"
    link.symlink_to(target)
    far.symlink_to(link)
    for contents in (OLD, NEW):
        write_atomically(far, contents)
        assert far.is_symlink()
        assert link.is_symlink()
        assert target.read_bytes() == contents
    assert os.listdir(target.parent) == ["target"]


# What can't be written ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["no such folder/file", "", ".", "folder", "file/below", "nul\0byte", "x" * 300]
)
def test_no_place_to_write(tmp_path, monkeypatch, path):
    """A path that can't be a file is a FileError, and nothing appears."""
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("file").write_bytes(OLD)
    with pytest.raises(FileError, match=r"can't be written: .+\. Name a file"):
        write_atomically(path, NEW)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]
    assert Path("file").read_bytes() == OLD


@posix
def test_a_loop_of_links(tmp_path):
    """A symbolic link to itself is a FileError, for writing and for reading."""
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(FileError, match="can't be written"):
        write_atomically(loop, NEW)
    with pytest.raises(FileError, match="can't be read"):
        read_bytes(loop)
    assert os.listdir(tmp_path) == ["loop"]


@pytest.mark.parametrize("function", [lambda path: write_atomically(path, NEW), read_bytes, first_byte])
@pytest.mark.parametrize("path", [None, 1, b"file", ["file"]])
def test_a_path_is_text_or_a_path(function, path):
    """Anything else is an InputError: an integer would be an open file, and None nothing at all."""
    with pytest.raises(InputError, match="Received"):
        function(path)


@contextmanager
def nobody_special():
    """Take away what root may do; anybody else may do no more anyway."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@posix
def test_write_protected():
    """A write-protected file is refused although its folder is open, as is a write-protected folder."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others
        os.chmod(name, 0o755)
        folder = Path(name, "folder")
        folder.mkdir()
        path = folder / "file"
        path.write_bytes(OLD)
        path.chmod(0o444)
        folder.chmod(0o777)
        with nobody_special():
            write_atomically(folder / "other", OLD)
            with pytest.raises(FileError, match="can't be written: it is write-protected"):
                write_atomically(path, NEW)
        folder.chmod(0o555)
        with nobody_special(), pytest.raises(FileError, match="can't be written: Permission denied"):
            write_atomically(folder / "third", NEW)
        folder.chmod(0o777)
        assert path.read_bytes() == OLD
        assert sorted(os.listdir(folder)) == ["file", "other"]


@posix
def test_devices_and_pipes_are_never_replaced(tmp_path):
    """A pipe gets the bytes and stays a pipe; a device is written to, and one that is full is a FileError."""
    pipe, received = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    write_atomically(pipe, NEW)
    reader.join(10)
    assert received == [NEW]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    with nobody_special():  # should the code be wrong, it must not be able to harm the machine's devices
        write_atomically(os.devnull, NEW)
        if os.path.exists("/dev/full"):
            with pytest.raises(FileError, match="No space left on device"):
                write_atomically("/dev/full", NEW)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


@posix
def test_only_files_are_opened_for_reading(tmp_path):
    """A pipe that nobody writes to, a device and a folder are refused at once."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", os.devnull, tmp_path):
        with pytest.raises(FileError, match=r"can't be read: it is (a folder|a device or a pipe)"):
            first_byte(path)


# What goes wrong on the way -------------------------------------------------------------------------------------


EVERY_STEP = [(step, exists) for step in ("open", "fsync", "replace") for exists in (False, True)]


@pytest.mark.parametrize(("step", "exists"), [*EVERY_STEP, ("chmod", True)])
def test_every_step_may_fail(tmp_path, monkeypatch, step, exists):
    """Whichever step finds the disk full, the old file is as it was and no unfinished copy stays."""
    path = tmp_path / "file"
    if exists:
        path.write_bytes(OLD)

    def full(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, step, full)
        with pytest.raises(FileError, match="No space left on device") as refusal:
            write_atomically(path, NEW)
    assert isinstance(refusal.value.__cause__, OSError)
    assert os.listdir(tmp_path) == (["file"] if exists else [])
    assert not exists or path.read_bytes() == OLD


def test_an_interrupt_leaves_nothing_behind(tmp_path, monkeypatch):
    """Ctrl-C in the middle of writing passes through, and no unfinished copy stays."""

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_atomically(tmp_path / "file", NEW)
    assert os.listdir(tmp_path) == []


@posix
def test_a_file_larger_than_the_system_allows(tmp_path):
    """Running out of room half-way, for real, is a FileError; the old file is as it was, nothing else is left."""
    path = tmp_path / "file"
    path.write_bytes(OLD)
    code = """
import resource, sys
from limen._files import write_atomically
from limen.errors import FileError
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_atomically(sys.argv[1], bytes(1_000_000))
except FileError as error:
    print(error)
"""
    done = run(code, path)
    assert "can't be written: File too large" in done.stdout, done.stderr
    assert path.read_bytes() == OLD
    assert os.listdir(tmp_path) == ["file"]


@posix
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_kill_leaves_the_old_file(tmp_path, step):
    """A process killed before it renames leaves the old file; only its unfinished copy stays."""
    path = tmp_path / "file"
    path.write_bytes(OLD)
    code = f"""
import os, signal, sys
from limen._files import write_atomically
os.{step} = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)
write_atomically(sys.argv[1], b"new")
"""
    done = run(code, path)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert path.read_bytes() == OLD
    (rest,) = set(os.listdir(tmp_path)) - {"file"}
    assert rest.startswith(".file.")
    assert rest.endswith(".part")
    write_atomically(path, NEW)
    assert path.read_bytes() == NEW


def test_two_processes_write_one_path(tmp_path):
    """While two processes write one path again and again, a reader finds one of the two contents, never a mixture."""
    path = tmp_path / "file"
    code = """
import sys
from limen._files import write_atomically
for _ in range(40):
    write_atomically(sys.argv[1], sys.argv[2].encode() * 50_000)
"""
    path.write_bytes(b"a" * 50_000)
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), letter]) for letter in "ab"]
    seen, done = set(), False
    while not done:
        done = all(writer.poll() is not None for writer in writers)  # one more look after the last writer
        contents = path.read_bytes()
        assert contents in (b"a" * 50_000, b"b" * 50_000)
        seen.add(contents[:1])
    assert [writer.returncode for writer in writers] == [0, 0]
    assert os.listdir(tmp_path) == ["file"]


# What can't be read ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["nothing", "folder", "", "nul\0byte", "file/below"])
def test_what_cannot_be_read(tmp_path, monkeypatch, path):
    """No file, a folder, a path that can't be: a FileError that names the path and the reason."""
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("file").write_bytes(OLD)
    with pytest.raises(FileError, match=r"can't be read: .+\."):
        read_bytes(path)
    with pytest.raises(FileError, match=r"can't be read: .+\."):
        first_byte(path)


def test_a_file_replaced_while_it_is_read(tmp_path):
    """What is read after a file was replaced is still the rest of the old one, and its size the old one's."""
    path = tmp_path / "file"
    path.write_bytes(OLD)
    with reading(path) as (stream, size):
        start = stream.read(3)
        if os.name == "posix":  # elsewhere an open file can't be replaced
            write_atomically(path, NEW)
        assert (start + stream.read(), size) == (OLD, len(OLD))


def test_an_error_of_the_reader_passes_through(tmp_path):
    """What goes wrong with the contents isn't called a fault of the path."""
    (tmp_path / "file").write_bytes(OLD)
    with pytest.raises(FileError, match="the contents"), reading(tmp_path / "file"):
        raise FileError("the contents")
