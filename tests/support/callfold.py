"""The command `callfold` in this process: a process of its own takes a second to start."""

import asyncio
import os

from typer.testing import CliRunner, Result

from services.ops.__main__ import mongo
from services.ops.app import create_app


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
