"""What the import contracts cannot say: the pure modules never wait."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PURE = [
    *sorted((ROOT / "shared" / "fold").glob("*.py")),
    *(ROOT / "shared" / f"{name}.py" for name in ("latency", "cost", "record", "redaction", "events", "event_time")),
    *(ROOT / "services" / "worker" / f"{name}.py" for name in ("batch", "marks", "ripeness", "silence")),
]


@pytest.mark.parametrize("path", PURE, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_pure_module_never_awaits(path: Path) -> None:
    tree = ast.parse(path.read_text())

    waits = [node for node in ast.walk(tree) if isinstance(node, ast.Await | ast.AsyncFunctionDef | ast.AsyncFor)]

    assert waits == []


def test_each_decision_says_what_enforces_it_and_that_is_there() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("0*.md"))

    for decision in decisions:
        enforced = decision.read_text().split("**Enforced by**")[1]
        named = [word.strip("`,.;") for word in enforced.split() if word.startswith("`tests/")]
        assert all((ROOT / name).exists() for name in named), decision.name
    assert decisions
