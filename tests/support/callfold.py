"""The command `callfold`: in this process, or as a process of its own, which takes a second to start."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner, Result

from services.ops.__main__ import mongo
from services.ops.app import create_app
from tests.support.eventually import scaled


class Callfold:
    """`callfold dead-letters`, with the settings of one test."""

    def __init__(self, bootstrap: str, mongo_uri: str, prefix: str, database: str) -> None:
        self.environment = {
            "CALLFOLD_KAFKA_BOOTSTRAP": bootstrap,
            "CALLFOLD_TOPIC_PREFIX": prefix,
            "CALLFOLD_MONGO_URI": mongo_uri,
            "CALLFOLD_MONGO_DATABASE": database,
        }

    async def __call__(self, *arguments: str) -> Result:
        return await asyncio.to_thread(
            lambda: CliRunner().invoke(
                create_app(), ["dead-letters", *arguments], obj=mongo, env={**os.environ, **self.environment}
            )
        )

    async def replay(self, *arguments: str) -> str:
        """Return the last line that a replay prints."""
        done = await self("replay", *arguments)
        return done.stdout.splitlines()[-1] if done.stdout else str(done.exception)


class CallfoldProcess:
    """`callfold` as a process in `folder`, with the variables `CALLFOLD_<NAME>` of these settings."""

    def __init__(self, folder: Path | None = None, **settings: object) -> None:
        self._folder = folder
        self._environment = os.environ | {f"CALLFOLD_{name.upper()}": str(value) for name, value in settings.items()}

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        command, pipe = [str(Path(sys.executable).with_name("callfold")), *arguments], subprocess.PIPE
        return subprocess.Popen(command, cwd=self._folder, env=self._environment, stdin=pipe, stdout=pipe, stderr=pipe)

    def __call__(self, *arguments: str, text: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        with self.start(*arguments) as process:
            out, error = process.communicate(text, timeout=scaled(120))
        return subprocess.CompletedProcess(arguments, process.returncode, out, error)
