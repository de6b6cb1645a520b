"""Which Python `make` installs with, of those on the PATH; stand-ins answer as `deploy/local/interpreter.py` would."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FIND = ROOT / "deploy" / "local" / "find-python"
TOOLS = "/usr/bin:/bin"


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Return a folder with the tools of a shell, and no Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("sh", "dirname", "sort", "head", "echo", "make", "touch"):
        found = shutil.which(name, path=TOOLS)
        assert found, name
        (folder / name).symlink_to(found)
    return folder


def python(path: Path, answer: str, status: int = 0) -> Path:
    """Put a stand-in of a Python at `path`, which prints `answer`; return its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{answer}'\nexit {status}\n")
    path.chmod(0o755)
    return path.parent


def find(*folders: Path, named: str = "") -> "subprocess.CompletedProcess[str]":
    path = ":".join(map(str, folders))
    return subprocess.run([FIND, named], env={"PATH": path}, capture_output=True, text=True, check=False)


def test_an_optimized_build_is_taken_before_a_plain_one_that_comes_first(tools: Path, tmp_path: Path) -> None:
    plain = python(tmp_path / "pyenv" / "python3", "3 /pyenv/python3.11")
    optimized = python(tmp_path / "usr" / "python3", "4 /usr/bin/python3.11")

    found = find(plain, optimized, tools)

    assert (found.stdout, found.stderr) == ("/usr/bin/python3.11\n", "")


def test_of_equals_the_first_on_the_path_is_taken(tools: Path, tmp_path: Path) -> None:
    first = python(tmp_path / "first" / "python3.11", "4 /first/python3.11")
    second = python(tmp_path / "second" / "python3", "4 /second/python3")

    assert find(first, second, tools).stdout == "/first/python3.11\n"


def test_a_shim_that_does_not_start_hides_no_python(tools: Path, tmp_path: Path) -> None:
    shims = python(tmp_path / "shims" / "python3", "", status=127)
    usr = python(tmp_path / "usr" / "python3", "4 /usr/bin/python3.11")

    assert find(shims, usr, tools).stdout == "/usr/bin/python3.11\n"


def test_a_star_in_the_path_is_no_pattern(tools: Path, tmp_path: Path) -> None:
    python(tmp_path / "usr" / "python3", "4 /usr/bin/python3.11")

    assert find(tmp_path / "*", tools).returncode == 1


def test_an_old_python_is_named_if_there_is_no_other(tools: Path, tmp_path: Path) -> None:
    old = python(tmp_path / "old" / "python3", "0 /old/python3 is CPython 3.8.18")
    new = python(tmp_path / "new" / "python3.12", "2 /new/python3.12")

    alone, both = find(old, tools), find(old, new, tools)

    assert (alone.returncode, alone.stdout, alone.stderr) == (1, "", "/old/python3 is CPython 3.8.18\n")
    assert (both.returncode, both.stdout) == (0, "/new/python3.12\n")


def test_a_python_that_is_named_is_taken_whatever_there_is(tools: Path, tmp_path: Path) -> None:
    folder = python(tmp_path / "bin" / "python3", "4 /usr/bin/python3.11")
    python(folder / "python3.12", "1 /opt/python3.12")

    found = find(folder, tools, named="python3.12")
    missing = find(folder, tools, named="python3.99")

    assert found.stdout == "/opt/python3.12\n"
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr.startswith("python3.99 is not there, or does not start")


def test_without_any_python_what_is_needed_is_said(tools: Path) -> None:
    found = find(tools)

    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.startswith("python3 is not there, or does not start. Python 3.11 or newer is required")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout with what chooses a Python, and nothing to install."""
    folder = tmp_path / "checkout"
    (folder / "deploy" / "local").mkdir(parents=True)
    for name in ("Makefile", "deploy/local/find-python", "deploy/local/interpreter.py"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("pyproject.toml", "constraints.txt"):
        (folder / name).touch()
    return folder


PYTHON = """#!/bin/sh
echo "$0 $*" >> {log}
case "$*" in
*-I*) echo '4 {path}' ;;
*venv*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
*describe*) echo 'Python 3.11.2 (/usr/bin/python3.11), an optimized build' ;;
esac
"""


def make(checkout: Path, tools: Path, *words: str) -> str:
    """Run `make` up to the point where the packages are installed, with one stand-in of a Python on the PATH."""
    python3 = tools / "python3"
    python3.write_text(PYTHON.format(log=checkout / "log", path=python3))
    python3.chmod(0o755)
    environment = {"PATH": f"{tools}:{os.environ['PATH']}"}
    command = ["make", "-s", ".venv/installed-local", *words]
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_make_shows_in_one_line_what_it_took(checkout: Path, tools: Path) -> None:
    said = make(checkout, tools, f"PYTHON={tools}/python3")

    assert said.splitlines() == [
        "Python 3.11.2 (/usr/bin/python3.11), an optimized build",
        "Installing packages into .venv",
    ]
    assert f"{tools}/python3 -m venv --clear .venv\n" in (checkout / "log").read_text()


def test_an_environment_that_is_there_is_kept_and_described(checkout: Path, tools: Path) -> None:
    python(checkout / ".venv" / "bin" / "python", "4 /usr/bin/python3.11")

    said = make(checkout, tools, "PYTHON=python3.12")

    assert ".venv is kept; to make it again with python3.12: make clean\n" in said
    assert not (checkout / "log").exists()


def test_an_environment_of_an_old_python_is_made_again(checkout: Path, tools: Path) -> None:
    python(checkout / ".venv" / "bin" / "python", "0 /usr/bin/python3.10 is CPython 3.10.12")

    said = make(checkout, tools, f"PYTHON={tools}/python3")

    assert "is kept" not in said
    assert f"{tools}/python3 -m venv --clear .venv\n" in (checkout / "log").read_text()
