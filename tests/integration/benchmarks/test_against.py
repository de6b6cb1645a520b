"""Another commit's worker is measured by its own code, and nothing of its checkout stays."""

import subprocess
import venv
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from benchmarks.load.calls import Workload
from benchmarks.parts.callfold import drain
from benchmarks.parts.checkout import ROOT, check_packages, checkout, code_of, short
from benchmarks.stage import Stage
from deploy.local.errors import LocalError
from deploy.local.servers.mongod import MongoServer
from deploy.local.servers.process import Server

WORKLOAD = Workload(20, 20)


def worktrees() -> str:
    command = ["git", "-C", str(ROOT), "worktree", "list"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


async def test_the_records_of_another_commits_worker_are_right(
    kafka: Server, mongo: MongoServer, tmp_path: Path
) -> None:
    with checkout("HEAD", tmp_path) as tree, MongoClient[dict[str, Any]](mongo.uri) as client:
        done = await drain(Stage(kafka, mongo, tmp_path, client), WORKLOAD, code=code_of(tree))

    assert done.folds >= WORKLOAD.calls


def test_a_checkout_is_removed_after_an_interruption(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), checkout("HEAD", tmp_path) as tree:  # noqa: PT012 - what is interrupted
        assert (tree / "services").is_dir()
        raise KeyboardInterrupt

    assert not tree.exists()
    assert str(tree) not in worktrees()


def test_a_checkout_that_was_left_is_replaced(tmp_path: Path) -> None:
    left = checkout("HEAD", tmp_path)
    left.__enter__()

    with checkout("HEAD", tmp_path) as tree:
        assert (tree / "services").is_dir()

    assert not tree.exists()


def test_code_that_does_not_come_first_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="not the worker in"):
        code_of(tmp_path)


def test_a_python_without_the_packages_is_named(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv")
    python = str(tmp_path / "venv" / "bin" / "python")

    with pytest.raises(LocalError, match="bin/python cannot import the worker: ModuleNotFoundError"):
        code_of(ROOT, python)


def test_a_commit_that_does_not_exist_is_named() -> None:
    with pytest.raises(LocalError, match="git finds no commit 'no-such-commit'"):
        short("no-such-commit")


def test_packages_that_are_pinned_differently_are_named(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    there.write_text("motor==3.6.0\norjson==3.13.0\n")
    here.write_text("motor==3.7.1\norjson==3.13.0\nzstandard==0.25.0\n")

    with pytest.raises(LocalError, match=r"35b6f47 pins other packages \(motor==3.6.0\)"):
        check_packages("35b6f47", there, here)

    check_packages("a superset", there=there, here=there)
