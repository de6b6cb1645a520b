"""What the import contracts cannot say: pure modules never await, and no folder outgrows what one can survey."""

import ast
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
MOST_FILES = 15


def pure_files() -> Iterator[Path]:
    [pure] = [contract for contract in CONTRACTS if contract["name"].startswith("Pure modules")]
    for module in pure["source_modules"]:
        path = ROOT.joinpath(*module.split("."))
        yield from sorted(path.glob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def code_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],  # noqa: S607 - the one on PATH
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for path in map(Path, listed.stdout.splitlines()) if (ROOT / path).exists()]


@pytest.mark.parametrize("path", list(pure_files()), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_pure_module_never_awaits(path: Path) -> None:
    tree = ast.parse(path.read_text())

    waits = [node for node in ast.walk(tree) if isinstance(node, ast.Await | ast.AsyncFunctionDef | ast.AsyncFor)]

    assert waits == []


def test_no_folder_outgrows_fifteen_files() -> None:
    sizes = Counter(path.parent for path in code_files() if path.name != "__init__.py")

    assert {str(folder): size for folder, size in sizes.items() if size > MOST_FILES} == {}
    assert sizes  # or the list of files itself is broken


def test_each_decision_says_what_enforces_it_and_that_is_there() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("0*.md"))

    for decision in decisions:
        enforced = decision.read_text().split("**Enforced by**")[1]
        named = [word.strip("`,.;") for word in enforced.split() if word.startswith("`tests/")]
        assert all((ROOT / name).exists() for name in named), decision.name
    assert decisions
