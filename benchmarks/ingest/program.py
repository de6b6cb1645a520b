"""A program of `benchmarks.ingest.programs` as a child of this process."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.local.servers.process import Server

ROOT = Path(__file__).parents[2]


class Program(Server):
    """The program called `name`, with these arguments; it listens nowhere."""

    def __init__(self, folder: Path, arguments: Sequence[str]) -> None:
        super().__init__(folder, port=0)
        self._arguments = arguments

    def prepare(self) -> None:
        """Make the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        """Return the command that runs it."""
        return [sys.executable, "-m", f"benchmarks.ingest.programs.{self.name}", *self._arguments]

    def environment(self) -> dict[str, str]:
        """Return the environment in which the modules of this repository are found from any folder."""
        return {**os.environ, "PYTHONPATH": str(ROOT)}

    def lacks(self) -> str | None:
        """Return None: there is nobody to ask."""
        return None

    def last_number(self) -> int:
        """Return the last number that it wrote on a line of its own, 0 if there is none yet."""
        whole = self.log.read_text(errors="replace").split("\n")[:-1]
        return next((int(line) for line in reversed(whole) if line.isdecimal()), 0)
