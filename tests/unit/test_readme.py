"""The README and the pages of docs/ are true: the links, paths, commands, settings and metrics that they name exist."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import pytest

from deploy.contracts.metrics import SETS
from deploy.local.ports import Ports, variable
from services.api.settings import ApiSettings
from services.console.settings import ConsoleSettings
from services.monitor.settings import MonitorSettings
from services.ops.app import create_app
from services.ops.settings import KeySettings
from services.worker.settings import WorkerSettings
from shared.config.settings import PREFIX

ROOT = Path(__file__).parents[2]
CHANGELOG = ROOT / "CHANGELOG.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
CURRENT = [page for page in PAGES if page != CHANGELOG]  # the changelog names what is no more
TOP = ("services", "shared", "deploy", "benchmarks", "tests", "docs", "examples")
OTHER_VARIABLES = {f"{PREFIX}{name}" for name in ("SECRETS_DIR", "MONGOD", "TEST_PATIENCE", "COMPLETE")}


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


def variables() -> set[str]:
    programs = (WorkerSettings, ApiSettings, MonitorSettings, ConsoleSettings, KeySettings)
    names = {name for program in programs for name in program.model_fields}
    return {f"{PREFIX}{name.upper()}" for name in names} | {variable(port.name) for port in fields(Ports)}


def metric_names() -> set[str]:
    return {metric.name for metrics in SETS.values() for metric in metrics.descriptions}


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def mapped_folders() -> Iterator[str]:
    """Yield the folders of the map of architecture.md, which indents each folder by two under the one above."""
    [tree] = re.findall(r"## The map\n\n```\n(.*?)```", ARCHITECTURE.read_text(), re.DOTALL)
    above: list[str] = []
    for indent, name in re.findall(r"^( *)([a-z_]+)/", tree, re.MULTILINE):
        above = [*above[: len(indent) // 2], name]
        yield "/".join(above)


def code_folders() -> set[str]:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    folders = {str(Path(path).parent) for path in listed.stdout.splitlines()}
    return {folder for folder in folders if folder.split("/")[0] in ("services", "shared", "deploy")}


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", page.read_text())
    targets = [((page.parent / file) if file else page, anchor) for file, anchor in links]

    missing = [target for target, _ in targets if not target.exists()]
    lost = [anchor for target, anchor in targets if anchor and anchor not in anchors(target)]

    assert missing == []
    assert lost == []


@pytest.mark.parametrize("page", CURRENT, ids=page_id)
def test_every_path_is_there(page: Path) -> None:
    paths = re.findall(rf"(?<![\w./-])((?:{'|'.join(TOP)})/[\w./-]*\w)", page.read_text())
    modules = re.findall(rf"python -m ((?:{'|'.join(TOP)})[\w.]*\w)", page.read_text())

    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert [module for module in modules if find_spec(module) is None] == []


@pytest.mark.parametrize("page", CURRENT, ids=page_id)
def test_every_command_exists(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    root = create_app()

    for words in re.findall(r"(?:\b|/)callfold((?: [a-z][a-z-]+)+)", text):
        command: Any = root
        for word in words.split():
            if isinstance(command, click.Group):
                assert word in command.commands, f"callfold{words}"
                command = command.commands[word]
    assert set(re.findall(r"(?:`|^ {4}|^)make ([a-z]+)", text, re.MULTILINE)) <= targets


@pytest.mark.parametrize("page", CURRENT, ids=page_id)
def test_every_variable_is_a_setting_and_every_metric_exists(page: Path) -> None:
    text = page.read_text()
    secrets = {name.lower() for name in variables()}

    assert set(re.findall(rf"{PREFIX}[A-Z_]+", text)) <= variables() | OTHER_VARIABLES
    named = {
        re.sub(r"_seconds_(bucket|count|sum)$", "_seconds", name) for name in re.findall(r"callfold_[a-z_]+", text)
    }
    assert named <= metric_names() | secrets


def test_each_ratio_of_the_readme_is_one_that_was_measured() -> None:
    ratios = re.findall(r"^\| .+ \| ([\d.]+) \| (at least [\d.]+): ", (ROOT / "README.md").read_text(), re.MULTILINE)
    measured = (ROOT / "docs" / "performance.md").read_text()

    assert ratios
    assert [ratio for ratio, asked in ratios if f"| {asked} | {ratio} (" not in measured] == []


def test_every_setting_is_documented() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()

    assert [name for name in variables() if f"`{name}`" not in text] == []


def test_the_changelog_leads_to_names_that_exist() -> None:
    renamed = re.findall(r"^\| `((?i:callfold)_\w+)` \| `(\w+)` \|", CHANGELOG.read_text(), re.MULTILINE)

    assert renamed
    assert {new for _, new in renamed} <= variables() | metric_names()
    assert {old for old, _ in renamed}.isdisjoint(variables() | metric_names())


def test_the_map_has_every_folder_of_code() -> None:
    mapped = set(mapped_folders())

    assert code_folders() <= mapped
    assert [folder for folder in mapped if not (ROOT / folder).is_dir()] == []
