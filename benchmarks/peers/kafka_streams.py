"""The peer that does the same job: calls folded by Kafka Streams into one document each (`streams/src`)."""

import hashlib
import os
import subprocess
from pathlib import Path
from typing import ClassVar

from benchmarks.parts.draining import Program
from benchmarks.stage import Stage, progress
from deploy.local.errors import LocalError
from deploy.local.lock import locked
from deploy.local.servers.install import DOWNLOADS, FIRST_LINES, STAMP, find_tools
from deploy.local.servers.java import find_java
from shared.contract.topics import Topics

_SOURCES = Path(__file__).with_name("streams")
_BUILT = DOWNLOADS / "streams" / "built"
_CLASSES = _BUILT / "classes"
_LOGGING = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
_GOALS = ("compiler:compile", "dependency:copy-dependencies", "-DincludeScope=runtime")


class StreamsPeer(Program):
    """One process with two stream threads; it folds into `calls` of a database, which also names the application."""

    name: ClassVar[str] = "streams"

    def __init__(self, stage: Stage, topics: Topics, database: str) -> None:
        arguments = [stage.kafka.address, stage.mongo.uri, database, *topics.inputs]
        super().__init__(stage.folder / database, arguments)

    def prepare(self) -> None:
        """Build it once.

        Raises:
            LocalError: Java's compiler or Maven is missing, or the build failed.
        """
        super().prepare()
        build()

    def command(self) -> list[str]:
        return [
            find_java(),
            "-Xmx1g",
            _LOGGING,
            "-cp",
            f"{_CLASSES}{os.pathsep}{_CLASSES}/*",
            "peer.Main",
            *self._arguments,
        ]

    def folds(self) -> int:
        """Return how many folds were written; a call that was folded before it was whole has several."""
        lines = self.log.read_text(errors="replace").split("\n")[:-1]
        return next((int(line.split()[1]) for line in reversed(lines) if line.startswith("folds ")), 0)


def build() -> None:
    """Compile the sources and download their libraries, unless that is done.

    Raises:
        LocalError: Java's compiler or Maven is missing, or the build failed.
    """
    digest = _digest()
    stamp = _BUILT / STAMP
    if stamp.is_file() and stamp.read_text() == digest:
        return
    what = "Kafka Streams' libraries"
    maven = find_tools(what)
    with locked(_BUILT.parent):
        progress(f"building the peer in Kafka Streams in {_BUILT}; this downloads 90 MB")
        done = subprocess.run(  # noqa: S603 - our own command
            [maven, "-q", "-B", "-f", str(_SOURCES / "pom.xml"), f"-Doutput={_BUILT}", *_GOALS],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            output = "\n".join(f"  {line}" for line in done.stdout.splitlines()[:FIRST_LINES])
            raise LocalError(f"Maven could not build the peer in Kafka Streams (a JDK is needed):\n{output}")
        stamp.write_text(digest)


def _digest() -> str:
    files = sorted(path for path in _SOURCES.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
