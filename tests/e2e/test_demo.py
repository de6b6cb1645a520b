"""The README's first command, as a newcomer runs it."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil

from tests.support.eventually import scaled

DEMO = [sys.executable, "-m", "deploy.local", "demo"]


def test_the_demonstration_reads_what_the_story_implies_and_leaves_nothing_running() -> None:
    done = subprocess.run(DEMO, capture_output=True, text=True, timeout=scaled(180), check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert 0 < done.stdout.index("call-opted-out") < done.stdout.index('"call_id": "call-456"')
    assert '"... and 13 more"' in done.stdout
    assert done.stdout.rstrip().endswith("Every record said what the story implies")
    assert "Look at it: http://127.0.0.1:" in done.stdout
    assert left_behind() == []


def test_ctrl_c_stops_everything_that_was_started() -> None:
    with subprocess.Popen(DEMO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        next(line for line in demo.stdout if "Kafka is ready" in line)

        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=scaled(120))

    assert demo.returncode == 130
    assert left_behind() == []


def left_behind() -> list[str]:
    """Return the processes of a stack whose state lies in a demonstration's folder."""
    found = []
    for process in psutil.process_iter():
        try:
            state = process.environ().get("CALLFOLD_STACK", "")
        except psutil.Error:
            continue
        if Path(state).name.startswith("callfold-demo-"):
            found.append(f"{process.pid} {process.name()}")
    return found
