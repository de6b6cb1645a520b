"""How a Python was built is told from what it reports of its build; the values are those of real interpreters."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import interpreter
from deploy.local.interpreter import OPTIMIZED, PLAIN, build, described, is_optimized

GCC = {"PGO_PROF_GEN_FLAG": "-fprofile-generate", "PGO_PROF_USE_FLAG": "-fprofile-use -fprofile-correction"}
PYENV = {
    **GCC,
    "CONFIG_ARGS": "'--prefix=/opt/pyenv/versions/3.11.7' '--enable-shared' 'LIBS=-L/opt/lib -Wl,-rpath'",
}
OFFICIAL_IMAGE = {**GCC, "CONFIG_ARGS": "'--build=x86_64-linux-gnu' '--enable-optimizations' '--with-lto'"}
DEBIAN = {
    "PGO_PROF_GEN_FLAG": "-fprofile-generate",
    "PGO_PROF_USE_FLAG": "",
    "CONFIG_ARGS": "'--enable-shared' '--prefix=/usr' '--with-computed-gotos' '--without-ensurepip' 'CFLAGS=-g   -O2 '",
}


@pytest.mark.parametrize(
    ("variables", "machine"),
    [(OFFICIAL_IMAGE, "x86_64"), (OFFICIAL_IMAGE, "riscv64"), (DEBIAN, "x86_64"), (DEBIAN, "aarch64")],
    ids=["official image", "official image on another machine", "Debian", "Debian on ARM"],
)
def test_a_build_with_a_profile_is_optimized(variables: dict[str, object], machine: str) -> None:
    assert is_optimized(variables, machine)


@pytest.mark.parametrize(
    ("variables", "machine"),
    [
        (PYENV, "x86_64"),
        (DEBIAN, "riscv64"),
        ({**OFFICIAL_IMAGE, "Py_DEBUG": 1}, "x86_64"),
        ({**GCC, "CONFIG_ARGS": "'--enable-optimizations=no'"}, "x86_64"),
        ({**GCC, "CONFIG_ARGS": "'--enable-optimizations' '--disable-optimizations'"}, "x86_64"),
        ({**GCC, "CONFIG_ARGS": None}, "x86_64"),
        ({}, "x86_64"),
    ],
    ids=["pyenv", "Debian without a profile", "for debugging", "no", "switched off", "no arguments", "nothing known"],
)
def test_any_other_build_is_plain(variables: dict[str, object], machine: str) -> None:
    assert not is_optimized(variables, machine)


def test_the_running_python_is_described_by_version_path_and_build() -> None:
    line = described()

    assert line.startswith(f"Python {sys.version.split()[0]} (/")
    assert build() in {OPTIMIZED, PLAIN}
    assert f"), {build()}" in line
    assert ("a quarter faster" in line) == (build() == PLAIN)


def test_the_interpreter_is_named_and_not_the_environment_that_it_runs_in() -> None:
    assert sys.prefix not in interpreter.executable()
    assert interpreter.missing() == ""


def test_it_runs_without_any_package_and_prints_its_rank_and_path() -> None:
    program = [sys.executable, "-I", "-S", interpreter.__file__]

    done = subprocess.run(program, capture_output=True, text=True, check=True)

    assert done.stdout == f"{interpreter.rank()} {interpreter.executable()}\n"


def test_an_old_python_can_read_it() -> None:
    text = Path(interpreter.__file__).read_text()

    tree = ast.parse(text, feature_version=(3, 6))

    notes = [node.annotation for node in ast.walk(tree) if isinstance(node, ast.arg) and node.annotation]
    assert all(isinstance(note, ast.Name | ast.Constant) for note in notes)
