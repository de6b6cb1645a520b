"""Another commit of this repository as a folder, for as long as it is measured."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.stage import progress
from deploy.local.errors import LocalError
from deploy.local.interrupts import uninterrupted
from deploy.local.servers.install import DOWNLOADS

ROOT = Path(__file__).parents[2]

_FOLDER = DOWNLOADS / "against"
_PINNED = "constraints.txt"


class Code(NamedTuple):
    """What runs another commit's worker: a Python, and the variables by which it imports that commit."""

    python: str
    variables: Mapping[str, str]


@contextmanager
def checkout(revision: str, folder: Path = _FOLDER) -> Iterator[Path]:
    """Provide the tree of a commit; it is removed at the end, after an interruption too.

    Raises:
        LocalError: there is no such commit, or it pins packages that are not installed here.
    """
    name = short(revision)
    tree = folder / name
    _remove(tree)  # of a run that was killed
    try:
        progress(f"checking {name} out into {tree}")
        _git("worktree", "add", "--quiet", "--detach", str(tree), name)
        check_packages(name, tree / _PINNED)
        yield tree
    finally:
        with uninterrupted():
            _remove(tree)


def short(revision: str) -> str:
    """Return the commit's short name.

    Raises:
        LocalError: there is no such commit.
    """
    return _git("rev-parse", "--verify", "--quiet", "--short=7", f"{revision}^{{commit}}", what=f"commit {revision!r}")


def code_of(tree: Path, python: str = sys.executable) -> Code:
    """Return what lets `python` import the packages of a tree, wherever it is started.

    Raises:
        LocalError: others come first all the same, or it lacks what they import.
    """
    # Without the second one `python -m` would look into the current folder first, which is this tree's.
    variables = {"PYTHONPATH": str(tree), "PYTHONSAFEPATH": "1"}
    found = subprocess.run(  # noqa: S603
        [python, "-c", "import services.worker.__main__ as found; print(found.__file__)"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode != 0:
        why = found.stderr.strip().splitlines()[-1]
        raise LocalError(f"{python} cannot import the worker: {why}. Install the packages that the commit pins.")
    if not Path(found.stdout.strip()).is_relative_to(tree):
        raise LocalError(f"Python imports {found.stdout.strip()}, not the worker in {tree}")
    return Code(python, variables)


def check_packages(name: str, there: Path, here: Path = ROOT / _PINNED) -> None:
    """Return if all that a commit pins is pinned here too: it runs with the packages of this Python.

    Raises:
        LocalError: it pins others.
    """
    if differ := sorted(_pinned(there) - _pinned(here)):
        raise LocalError(f"{name} pins other packages ({', '.join(differ)}): compare where these are installed.")


def _pinned(file: Path) -> set[str]:
    return {line.strip() for line in file.read_text().splitlines() if "==" in line}


def _remove(tree: Path) -> None:
    if tree.exists():
        _git("worktree", "remove", "--force", str(tree))
    _git("worktree", "prune")


def _git(*arguments: str, what: str = "worktree") -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607
    if done.returncode != 0:
        raise LocalError(
            f"git finds no {what} in {ROOT}: {done.stderr.strip() or 'exit status ' + str(done.returncode)}"
        )
    return done.stdout.strip()
