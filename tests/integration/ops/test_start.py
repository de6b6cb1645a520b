"""`callfold` before it is loaded."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.eventually import eventually, scaled

CALLFOLD = Path(sys.executable).with_name("callfold")
SLOW_LIBRARY = "import pathlib, time; pathlib.Path('loading').touch(); time.sleep(600)"


def started(folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [CALLFOLD, "lag"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


async def test_ctrl_c_while_it_loads_ends_it_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text(SLOW_LIBRARY)
    with started(tmp_path) as process:
        await eventually((tmp_path / "loading").exists)

        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=scaled(60))

    assert (process.returncode, said) == (130, b"")
