"""The cache of installed servers: built once, never used half-made, clear when it cannot be written."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from pytest_letta.errors import CacheError, StackError
from pytest_letta.stack import cache
from pytest_letta.stack.commands import run_for_cache
from pytest_letta.stack.progress import Silence

_SLOW_BUILDER = dedent(
    """
    import subprocess, sys, time
    from pathlib import Path
    from pytest_letta.stack import cache
    from pytest_letta.stack.progress import Silence

    def build(entry, lock):
        with open(sys.argv[2], "a") as builds:
            builds.write("built\\n")
        if float(sys.argv[3]) < 0:
            child = subprocess.Popen(["sleep", "300"], pass_fds=[lock], stdout=subprocess.DEVNULL)
            print(child.pid, flush=True)
            child.wait()
        print("building", flush=True)
        time.sleep(float(sys.argv[3]))
        (entry / "content").write_text("whole")

    entry = cache.ensure(Path(sys.argv[1]), build, Silence())
    print((entry / "content").read_text(), flush=True)
    """
)


def write_content(entry: Path, _: int) -> None:
    (entry / "content").write_text("whole")


def start_builder(entry: Path, builds: Path, takes_s: float) -> subprocess.Popen[str]:
    """Build in another process for `takes_s` seconds; if that is negative, in a child of it without end."""
    command = [sys.executable, "-c", _SLOW_BUILDER, str(entry), str(builds), str(takes_s)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_an_entry_is_built_once(tmp_path: Path) -> None:
    built = []

    for _ in range(2):
        entry = cache.ensure(tmp_path / "a" / "entry", lambda entry, _: built.append(entry), Silence())

    assert built == [entry]


def test_two_processes_that_want_one_entry_build_it_once(tmp_path: Path) -> None:
    builds = tmp_path / "builds"

    processes = [start_builder(tmp_path / "entry", builds, 0.5) for _ in range(2)]
    said = [process.communicate(timeout=30)[0] for process in processes]

    assert builds.read_text() == "built\n"
    assert sorted(said) == ["building\nwhole\n", "whole\n"]


def test_an_entry_whose_builder_was_killed_is_built_anew(tmp_path: Path) -> None:
    entry = tmp_path / "entry"
    with start_builder(entry, tmp_path / "builds", 60) as builder:
        assert builder.stdout is not None
        assert builder.stdout.readline() == "building\n"
        (entry / "leftover").touch()
        builder.kill()

    cache.ensure(entry, write_content, Silence())

    assert sorted(path.name for path in entry.iterdir()) == [cache.STAMP, "content"]


def test_a_child_that_outlives_its_builder_holds_the_entry_until_it_ends(tmp_path: Path) -> None:
    entry = tmp_path / "entry"
    with start_builder(entry, tmp_path / "builds", -1) as builder:
        assert builder.stdout is not None
        child = psutil.Process(int(builder.stdout.readline()))
        builder.kill()
    cache.remove_half_made(tmp_path)
    held = entry.exists()
    child.kill()
    child.wait(10)
    cache.remove_half_made(tmp_path)

    assert held
    assert not entry.exists()


def test_an_entry_whose_builder_failed_takes_no_room(tmp_path: Path) -> None:
    def fail(entry: Path, _: int) -> None:
        (entry / "big").touch()
        raise RuntimeError("cannot be resolved")

    with pytest.raises(RuntimeError):
        cache.ensure(tmp_path / "entry", fail, Silence())

    assert not (tmp_path / "entry").exists()


def test_an_entry_that_is_no_longer_usable_is_built_anew(tmp_path: Path) -> None:
    entry = cache.ensure(tmp_path / "entry", lambda entry, _: (entry / "old").touch(), Silence())

    cache.ensure(entry, write_content, Silence(), lambda entry: not (entry / "old").exists())

    assert sorted(path.name for path in entry.iterdir()) == [cache.STAMP, "content"]


def test_removing_what_is_half_made_leaves_what_is_whole(tmp_path: Path) -> None:
    cache.ensure(tmp_path / "whole", write_content, Silence())
    (tmp_path / "half").mkdir()

    cache.remove_half_made(tmp_path)

    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["whole"]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EACCES, "it may not be written"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EDQUOT, "your disk quota is used up"),
    ],
)
def test_a_disk_that_refuses_is_explained_in_one_line(tmp_path: Path, number: int, said: str) -> None:
    def build(entry: Path, _: int) -> None:
        raise OSError(number, os.strerror(number), str(entry))

    with pytest.raises(CacheError) as caught:
        cache.ensure(tmp_path / "entry", build, Silence())

    assert str(caught.value).startswith(f"cannot fill the cache folder {tmp_path}: {said}")
    assert "XDG_CACHE_HOME" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_full_disk_elsewhere_is_not_blamed_on_the_cache(tmp_path: Path) -> None:
    def build(entry: Path, _: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/elsewhere/file")

    with pytest.raises(OSError, match="/elsewhere/file"):
        cache.ensure(tmp_path / "entry", build, Silence())


def test_a_cache_folder_below_a_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(CacheError, match="a part of the path is a file"):
        cache.ensure(tmp_path / "file" / "entry", write_content, Silence())


@pytest.mark.parametrize(
    ("said", "kind", "pattern"),
    [
        ("error: failed to write: No space left on device (os error 28)", CacheError, "the disk is full"),
        ("error: Permission denied (os error 13)", CacheError, "may not be written"),
        ("  ╰─▶ dns error: failed to lookup address information", StackError, "index cannot be reached .dns error"),
        ("  No solution found\n  ╰─▶ Because a needs b, no.", StackError, r"\(exit 3\): Because a needs b, no"),
        ("", StackError, "it said nothing"),
    ],
)
def test_a_failed_installation_is_told_by_its_cause(
    tmp_path: Path, said: str, kind: type[StackError], pattern: str
) -> None:
    command = ["sh", "-c", 'printf "%s" "$0" >&2; exit 3', said]

    with open(os.devnull) as lock, pytest.raises(kind, match=pattern) as caught:
        run_for_cache(command, "letta 0.16.8", folder=tmp_path, lock=lock.fileno())

    assert "\n" not in str(caught.value)
