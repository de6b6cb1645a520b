"""The runbooks' ways to call Kafka's own tools: each class is in the jars of the local stack."""

import re
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[3]
JARS = [*ROOT.glob(".local/kafka/libs/kafka*.jar")]


@pytest.mark.skipif(not JARS, reason="Kafka's jars are not there: make install")
def test_each_tool_of_the_runbooks_is_in_the_jars() -> None:
    page = (ROOT / "docs" / "runbooks" / "README.md").read_text()
    tools = re.findall(r"^kafka-[a-z-]+\(\) \{ tool ([\w.]+) ", page, re.MULTILINE)

    files = {name for jar in JARS for name in ZipFile(jar).namelist()}

    assert tools
    assert [tool for tool in tools if f"{tool.replace('.', '/')}.class" not in files] == []


def test_each_tool_that_a_page_calls_is_explained_on_the_first() -> None:
    pages = {page.name: page.read_text() for page in (ROOT / "docs" / "runbooks").glob("*.md")}
    explained = set(re.findall(r"^(kafka-[a-z-]+)\(\)", pages["README.md"], re.MULTILINE))

    called = {tool for text in pages.values() for tool in re.findall(r"(kafka-[a-z-]+)(?:\.sh)? --", text)}

    assert called
    assert called - explained == set()
