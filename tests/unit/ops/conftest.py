"""The command on a store in memory, in a folder without settings of a local stack."""

from pathlib import Path

import pytest

from tests.support.callfold import PEPPER, MemoryCallfold


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MemoryCallfold:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CALLFOLD_MONGO_URI", "mongodb://127.0.0.1")
    monkeypatch.setenv("CALLFOLD_API_SECRET_PEPPER", PEPPER)
    return MemoryCallfold()
