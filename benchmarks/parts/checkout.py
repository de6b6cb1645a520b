"""Another commit of this repository as a folder, for as long as it is measured."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
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
_VERSIONS = "import importlib.metadata as m; print(*(f'{each.name}=={each.version}' for each in m.distributions()))"


class Code(NamedTuple):
    """What runs another commit's worker: a Python, and the variables by which it imports that commit."""

    python: str
    variables: Mapping[str, str]


@contextmanager
def checkout(revision: str, folder: Path = _FOLDER) -> Iterator[Path]:
    """Provide the tree of a commit; it is removed at the end, after an interruption too.

    Raises:
        LocalError: there is no such commit.
    """
    name = short(revision)
    tree = folder / name
    _remove(tree)  # of a run that was killed
    try:
        progress(f"checking {name} out into {tree}")
        _git("worktree", "add", "--quiet", "--detach", str(tree), name)
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
        LocalError: others come first all the same, it lacks what they import, or has other versions than are pinned.
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
    check_packages(python, tree / _PINNED)
    return Code(python, variables)


def check_packages(python: str, pinned: Path) -> None:
    """Return if whatever `python` has of the pinned packages is of the version that is pinned.

    Raises:
        LocalError: it has another version.
    """
    done = subprocess.run([python, "-c", _VERSIONS], capture_output=True, text=True, check=True)  # noqa: S603
    has = _versions(done.stdout.split())
    wanted = _versions(line for line in pinned.read_text().splitlines() if "==" in line)
    if differ := [f"{name}=={version}" for name, version in wanted.items() if has.get(name, version) != version]:
        raise LocalError(f"{python} has other versions than the commit pins: {', '.join(differ)}. Install these.")


def _versions(pins: Iterable[str]) -> dict[str, str]:
    """Return the version of each package by its name, which has several spellings."""
    split = (pin.strip().split("==") for pin in pins)
    return {name.lower().replace("_", "-").replace(".", "-"): version for name, version in split}


def _remove(tree: Path) -> None:
    if tree.exists():
        try:
            _git("worktree", "remove", "--force", "--force", str(tree))  # twice: locked, if its making was killed
        except LocalError:
            shutil.rmtree(tree)  # git does not know it as a working tree
    _git("worktree", "prune")


def _git(*arguments: str, what: str = "worktree") -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607
    if done.returncode != 0:
        raise LocalError(
            f"git finds no {what} in {ROOT}: {done.stderr.strip() or 'exit status ' + str(done.returncode)}"
        )
    return done.stdout.strip()
