"""`callfold` while it is loading."""

import os
import signal
from pathlib import Path

import pytest

from tests.support.callfold import start
from tests.support.eventually import eventually, scaled

SLOW_LIBRARY = "import pathlib, time; pathlib.Path('loading').touch(); time.sleep(60)"


@pytest.mark.parametrize("library", ["click", "pydantic", "aiokafka"])
async def test_ctrl_c_while_it_loads_ends_it_without_output(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    (tmp_path / f"{library}.py").write_text(SLOW_LIBRARY)
    with start("lag", cwd=tmp_path) as process:
        await eventually((tmp_path / "loading").exists)

        process.send_signal(signal.SIGINT)
        output, error = process.communicate(timeout=scaled(60))

    assert (process.returncode, output, error) == (130, b"", b"")
