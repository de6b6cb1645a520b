"""The programs that publish, by library: each is installed into .local/clients when it is used first."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from deploy.local.errors import LocalError
from deploy.local.servers.install import DOWNLOADS, LIBS
from deploy.local.servers.java import find_java

HERE = Path(__file__).parent
INSTALLED = DOWNLOADS / "clients"
KAFKA_PYTHON = "3.0.12"

_INSTALL_SECONDS = 1_800
"""Compiling for Go takes minutes on a busy machine."""


class NotInstalled(Exception):
    """A toolchain is missing, or the library cannot be installed; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Program:
    """A command, which gets the broker's address and the options as arguments, and its additional variables."""

    command: list[str]
    environment: Mapping[str, str]


def java(source: str) -> Program:
    """Return the program of one source file, which Java compiles as it starts.

    Raises:
        NotInstalled: there is no Java, or it has no compiler.
    """
    try:
        found = find_java()
    except LocalError as error:
        raise NotInstalled(str(error)) from error
    if "jdk.compiler" not in _run([found, "--list-modules"]):
        raise NotInstalled(f"{found} has no compiler: install a JDK")
    return Program(
        [found, "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", f"{LIBS}/*", str(HERE / "java" / source)], {}
    )


def _publish_java() -> Program:
    return java("Publish.java")


def _console() -> Program:
    program = java("Publish.java")
    return Program([*program.command[:-1], "org.apache.kafka.tools.ConsoleProducer"], {})


def _python() -> Program:
    return Program([sys.executable, str(HERE / "python" / "publish.py")], {})


def _kafka_python() -> Program:
    folder = INSTALLED / "python"
    if not (folder / f"kafka_python-{KAFKA_PYTHON}.dist-info").exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
        _run([*pip, "--target", str(folder), f"kafka-python=={KAFKA_PYTHON}"])
    return Program(_python().command, {"PYTHONPATH": str(folder)})


def _node() -> Program:
    folder = INSTALLED / "node"
    node, npm = _find("node"), _find("npm")
    same = (folder / "package.json").is_file() and _text(folder) == _text(HERE / "node")
    if not (same and (folder / "node_modules").is_dir()):
        shutil.copytree(HERE / "node", folder, dirs_exist_ok=True)
        _run([npm, "install", "--no-package-lock", "--no-audit", "--no-fund"], cwd=folder)
    shutil.copy(HERE / "node" / "publish.js", folder)
    return Program([node, str(folder / "publish.js")], {"KAFKAJS_NO_PARTITIONER_WARNING": "1"})


def _text(folder: Path) -> str:
    return (folder / "package.json").read_text()


@cache
def _go() -> Program:
    folder = INSTALLED / "go"
    program = folder / "publish"
    caches = {"GOMODCACHE": str(folder / "modules"), "GOCACHE": str(folder / "cache")}
    flags = {"GOFLAGS": "-modcacherw -buildvcs=false", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    _run([_find("go"), "build", "-o", str(program), "."], cwd=HERE / "go", **caches, **flags)
    return Program([str(program)], {})


LIBRARIES: Mapping[str, Callable[[], Program]] = {
    "java-console": _console,
    "java": _publish_java,
    "aiokafka": _python,
    "confluent-kafka": _python,
    "kafka-python": _kafka_python,
    "kafkajs": _node,
    "sarama": _go,
    "franz-go": _go,
    "kafka-go": _go,
}


def _find(tool: str) -> str:
    found = shutil.which(tool)
    if found is None:
        raise NotInstalled(f"there is no {tool} on the PATH")
    return found


def _run(command: list[str], cwd: Path = HERE, **variables: str) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=os.environ | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_INSTALL_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise NotInstalled(f"{Path(command[0]).name} took more than {_INSTALL_SECONDS} s") from error
    if done.returncode:
        raise NotInstalled(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout
