"""A mark is found wherever a program leaves it: what the tests of privacy rely on."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.traces import Traces

OPENED = "file = open(sys.argv[1], 'w'); file.write(sys.argv[2][::-1]); file.flush(); os.remove(sys.argv[1])"
CHILD = "child = subprocess.Popen([sys.executable, '-c', 'input()'], env={'SAID': sys.argv[2][::-1]}, stdin=0)"


@contextmanager
def program(code: str, *arguments: str, **environment: str) -> Iterator[int]:
    """Run a program until the end of the context; return its process id when it has run the code."""
    lines = f"import os, subprocess, sys\n{code}\nprint('done', flush=True)\ninput()"
    command = [sys.executable, "-c", lines, *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.communicate("\n\n")


@pytest.fixture
def mark() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def traces(tmp_path: Path, mark: str) -> Traces:
    return Traces(tmp_path, (mark.encode(),), ())


def test_in_the_arguments_of_a_process(traces: Traces, mark: str) -> None:
    with program("", mark) as pid:
        traces.watch(pid)

    assert list(traces.found) == [f"cmdline of {pid}"]


def test_in_its_environment(traces: Traces, mark: str) -> None:
    with program("", SAID=mark) as pid:
        traces.watch(pid)

    assert list(traces.found) == [f"environ of {pid}"]


def test_in_a_file_that_it_has_removed_and_still_holds_open(traces: Traces, mark: str, tmp_path: Path) -> None:
    with program(OPENED, str(tmp_path / "file"), mark[::-1]) as pid:
        traces.watch(pid)

    assert [where.split()[0] for where in traces.found] == ["open"]


def test_in_a_child_of_it(traces: Traces, mark: str) -> None:
    with program(CHILD, "", mark[::-1]) as pid:
        traces.watch(pid)

    assert [where.split()[0] for where in traces.found] == ["environ"]
    assert traces.watched > {pid}


def test_in_a_file_of_its_folder(traces: Traces, mark: str, tmp_path: Path) -> None:
    (tmp_path / "program.log").write_text(f"a line\n{mark}\n")

    traces.look_at_files()

    assert str(tmp_path / "program.log") in traces.found


def test_in_a_new_file_of_a_temporary_folder_of_the_machine(
    traces: Traces, mark: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "file"
    elsewhere.write_text(mark)

    traces.look_at_files()

    assert traces.found.keys() == {str(elsewhere)}
