"""Another commit's worker is measured by its own code, and nothing of its checkout stays."""

import subprocess
import sys
import venv
from importlib.metadata import version
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


def worktree(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), "worktree", *arguments]
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
    assert str(tree) not in worktree("list")


def test_a_checkout_that_was_left_is_replaced(tmp_path: Path) -> None:
    left = checkout("HEAD", tmp_path)
    left.__enter__()

    with checkout("HEAD", tmp_path) as tree:
        assert (tree / "services").is_dir()

    assert not tree.exists()


def test_a_folder_that_is_no_checkout_is_replaced(tmp_path: Path) -> None:
    left = tmp_path / short("HEAD")
    left.mkdir()
    (left / "file").touch()

    with checkout("HEAD", tmp_path) as tree:
        assert (tree / "services").is_dir()
        assert not (tree / "file").exists()

    assert not tree.exists()


def test_a_checkout_whose_making_was_killed_is_replaced(tmp_path: Path) -> None:
    with checkout("HEAD", tmp_path) as tree:
        worktree("lock", str(tree))

    assert not tree.exists()
    assert str(tree) not in worktree("list")


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


def test_packages_of_another_version_than_is_pinned_are_named(tmp_path: Path) -> None:
    pinned = tmp_path / "constraints.txt"
    pinned.write_text(f"orjson=={version('orjson')}\nnot-installed==1.0\npytest==0.1\n")

    with pytest.raises(LocalError, match=r"has other versions than the commit pins: pytest==0.1\. Install"):
        check_packages(sys.executable, pinned)


def test_packages_are_of_the_versions_that_are_pinned() -> None:
    check_packages(sys.executable, ROOT / "constraints.txt")
