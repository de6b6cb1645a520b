"""The words that docs/glossary.md replaces are nowhere in code and docs."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_OURS = ("docs/contracts/", "docs/performance/", "constraints.txt", "CHANGELOG.md", "tests/unit/test_words.py")

WORDS = {
    r"\bTold\b": "CallEvents",
    r"\b[Rr]ipe(ness)?\b": "due, fold schedule",
    r"\b[Ss]tretch(es)?\b": "offset range, source partition",
    r"\b[Bb]esides?\b": "concurrently, next to, in addition",
    r"\b[Cc]hores?\b": "maintenance job",
    r"\b[Pp]atiently\b": "retry until available",
    r"\b[Ww]ho(m|se)?ever\b": "name the program or the person",
    r"\b[Mm]istakes? of ours\b": "internal error",
    r"\b[Bb]ad world\b|\bworld is bad\b": "a dependency is unavailable",
    r"\bGivenUp\b": "RetryAborted",
    r"\bSighting\b": "CallSnapshot",
    r"\b[Mm]isplaced\b": "mis-keyed",
}


def _texts() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - the one on PATH
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = [name for name in listed.stdout.splitlines() if not name.startswith(NOT_OURS)]
    return [ROOT / name for name in names if (ROOT / name).suffix in {".py", ".md", ".toml", ".yml", ".yaml", ""}]


TEXTS = {path: path.read_text() for path in _texts() if path.is_file()}


@pytest.mark.parametrize("word", WORDS, ids=list(WORDS.values()))
def test_a_replaced_word_is_nowhere(word: str) -> None:
    pattern = re.compile(word)

    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path, text in TEXTS.items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]

    assert found == []
