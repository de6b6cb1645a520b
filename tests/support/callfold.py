"""The command `callfold`: as a process, or in this process, which saves the second that it takes to load."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from click.testing import CliRunner, Result

from services.ops.__main__ import mongo
from services.ops.app import create_app
from services.ops.database import Database
from services.ops.settings import OpsSettings
from shared.store.memory.api_keys import MemoryApiKeys
from shared.store.memory.calls import MemoryStore
from shared.store.memory.write_probe import MemoryWriteProbe
from tests.support.eventually import scaled

PEPPER = "p" * 32
CALLFOLD = Path(sys.executable).with_name("callfold")


def start(*arguments: str, cwd: Path | None = None, **settings: str) -> "subprocess.Popen[bytes]":
    """Start `callfold` with these settings, such as `kafka_bootstrap`, and with pipes."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [CALLFOLD, *arguments], cwd=cwd, env=_environment(settings), stdin=pipe, stdout=pipe, stderr=pipe
    )


def run(
    *arguments: str, text: bytes = b"", cwd: Path | None = None, **settings: str
) -> "subprocess.CompletedProcess[bytes]":
    """Run `callfold` to its end; `text` is its standard input."""
    with start(*arguments, cwd=cwd, **settings) as process:
        output, errors = process.communicate(text, timeout=scaled(120))
    return subprocess.CompletedProcess([*arguments], process.returncode, output, errors)


def _environment(settings: dict[str, str]) -> dict[str, str]:
    return os.environ | {f"CALLFOLD_{name.upper()}": value for name, value in settings.items()}


class MemoryCallfold:
    """`callfold` in this process, on a store in memory."""

    def __init__(self) -> None:
        self.database = Database(MemoryStore(), MemoryApiKeys(), MemoryWriteProbe())

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(create_app(), arguments, obj=self._open)

    @asynccontextmanager
    async def _open(self, _settings: OpsSettings) -> AsyncIterator[Database]:
        yield self.database


class Callfold:
    """`callfold dead-letters` in this process, with the settings of one test."""

    def __init__(self, bootstrap: str, mongo_uri: str, prefix: str, database: str) -> None:
        self._environment = _environment(
            {
                "kafka_bootstrap": bootstrap,
                "topic_prefix": prefix,
                "mongo_uri": mongo_uri,
                "mongo_database": database,
            }
        )

    async def __call__(self, *arguments: str) -> Result:
        return await asyncio.to_thread(
            lambda: CliRunner().invoke(create_app(), ["dead-letters", *arguments], obj=mongo, env=self._environment)
        )

    async def replay(self, *arguments: str) -> str:
        """Return the last line that a replay prints."""
        done = await self("replay", *arguments)
        return done.stdout.splitlines()[-1] if done.stdout else str(done.exception)
