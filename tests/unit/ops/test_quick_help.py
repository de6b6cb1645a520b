"""The command loads little before it knows what it has to do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.callfold import CALLFOLD
from tests.support.eventually import scaled

HEAVY = {
    *("aiohttp", "aiokafka", "asyncio", "cramjam", "fastapi", "faust", "motor", "orjson", "prometheus_client"),
    *("pydantic", "pydantic_core", "pydantic_settings", "pymongo", "rich", "structlog", "tenacity"),
}
MOST_MODULES = 240
"""Without libraries the command needs about 200; it needed many more when it loaded everything."""

REPORT = """
import atexit, json, os, sys
atexit.register(lambda: json.dump(sorted(sys.modules), open(os.environ["MODULES"], "w")))
sys.argv = ["callfold", *sys.argv[1:]]
from services.ops.start import main
main()
"""


def loaded(tmp_path: Path, *arguments: str, **variables: str) -> tuple[set[str], str]:
    """Return the modules that the command has loaded when it ends, and what it prints."""
    file = tmp_path / "modules.json"
    environment = os.environ | {"MODULES": str(file)} | variables
    command = [sys.executable, "-c", REPORT, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=scaled(60), check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(file.read_text())), done.stdout


@pytest.mark.parametrize(
    "typed",
    [
        ["--help"],
        ["--version"],
        ["lag", "--help"],
        ["dead-letters", "--help"],
        ["dead-letters", "replay", "--help"],
        ["keys", "create", "--help"],
        ["events", "--help"],
        ["validate", "--help"],
    ],
    ids=" ".join,
)
def test_help_and_version_load_no_library_that_does_the_work(tmp_path: Path, typed: list[str]) -> None:
    modules, _ = loaded(tmp_path, *typed)

    assert modules & HEAVY == set()
    assert not [name for name in modules if name.startswith("services.ops.actions")]
    assert len(modules) <= MOST_MODULES


def test_the_version_is_that_of_the_package(tmp_path: Path) -> None:
    _, printed = loaded(tmp_path, "--version")

    assert printed.startswith("callfold 0.")
    assert len(printed.splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("callfold dead", ["dead-letters"]),
        ("callfold keys ", ["create", "list", "revoke"]),
        ("callfold dead-letters list --reason not_", ["not_json", "not_an_object", "not_cloudevents", "not_base64"]),
        ("callfold problems --kind end_o", ["end_overruled"]),
        ("callfold get org-789 call-456 --det", ["--details"]),
    ],
)
def test_a_shell_completes_a_line_as_quickly(tmp_path: Path, line: str, completed: list[str]) -> None:
    typed = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" ")), "_CALLFOLD_COMPLETE": "bash_complete"}

    modules, printed = loaded(tmp_path, **typed)

    assert [each.partition(",")[2] for each in printed.split()] == completed
    assert modules & HEAVY == set()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_of_each_shell_can_be_printed(shell: str) -> None:
    environment = os.environ | {"_CALLFOLD_COMPLETE": f"{shell}_source"}
    done = subprocess.run([CALLFOLD], env=environment, capture_output=True, timeout=scaled(60), check=False)

    assert (done.returncode, done.stderr) == (0, b"")
    assert f"_CALLFOLD_COMPLETE={shell}_complete".encode() in done.stdout
