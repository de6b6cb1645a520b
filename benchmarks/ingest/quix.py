"""Quix Streams with its MongoDB sink: stores each event as a document of its own, under the event's id."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

from benchmarks.calls import Workload
from benchmarks.ingest.draining import Drained, database_of_its_own
from benchmarks.ingest.peer import Peer
from benchmarks.ingest.program import Program
from benchmarks.saying import say
from benchmarks.stage import Stage
from deploy.local.lock import locked
from deploy.local.servers.install import DOWNLOADS, STAMP

PROGRAM = Path(__file__).parent / "programs" / "quix.py"
REQUIREMENTS = PROGRAM.with_name("quix-requirements.txt")

VENV = DOWNLOADS / "quix" / "venv"
"""An environment of its own: Quix Streams takes no pydantic and no confluent-kafka as new as ours."""


class Quix(Program):
    """The program that uses Quix Streams."""

    name: ClassVar[str] = "quix"

    def prepare(self) -> None:
        """Make the folder, and install the libraries when they are first needed.

        Raises:
            CalledProcessError: they could not be installed; pip has said why.
        """
        super().prepare()
        _install()

    def command(self) -> list[str]:
        """Return the command that runs it on its own libraries."""
        return [str(VENV / "bin" / "python"), "-P", str(PROGRAM), *self._arguments]


def _install() -> None:
    stamp, digest = VENV / STAMP, hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == digest:
        return
    with locked(VENV.parent):
        say(f"installing Quix Streams into {VENV}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)  # noqa: S603 - ours
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", str(REQUIREMENTS)], check=True)  # noqa: S603 - ours
        stamp.write_text(digest)


async def drain(stage: Stage, workload: Workload, longest: float) -> Drained:
    """Drain the workload for so long; see `Peer.drain`."""
    topics = await stage.published(workload)
    name = stage.name("quix")
    with database_of_its_own(stage, name) as database:
        events = database["events"]
        program = Quix(stage.folder / name, [stage.kafka.address, stage.mongo.uri, name, *topics.inputs])
        peer = Peer(program, events.estimated_document_count, lambda: events.count_documents({}))
        return await peer.drain(stage.servers(), workload.total, longest)
