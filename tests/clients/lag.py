"""What is left to read, by `callfold lag` and by `kafka-consumer-groups`.

Both are asked again and again, so neither is started anew for each question: the command `callfold` runs in this
process, Kafka's in one process of Java. What is measured is the commit, not the start of a program.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import orjson
from click.testing import CliRunner

from services.ops.app import create_app
from shared.contract.topics import Topics
from tests.clients.programs import java
from tests.support.eventually import scaled

Ask = Callable[[], Awaitable[int]]
"""Returns how many records are left, of all partitions together; raises LagUnknown."""

_PAUSE_SECONDS = 0.2
_ANSWER = b"answered\n"
_ANSWERS_WITHIN = 60.0


class LagUnknown(Exception):
    """The command failed; the text is what it wrote."""


def by_callfold(bootstrap: str, topics: Topics) -> Ask:
    """Ask `callfold lag --json`."""
    settings = {
        "CALLFOLD_KAFKA_BOOTSTRAP": bootstrap,
        "CALLFOLD_TOPIC_PREFIX": topics.prefix,
        "CALLFOLD_GROUP": topics.prefix,
    }

    def ask() -> int:
        done = CliRunner().invoke(create_app(), ["lag", "--json", "--window", "0"], env=settings)
        if done.exit_code:
            raise LagUnknown(f"callfold lag: {done.exception or done.output}")
        return sum(each["lag"] for each in orjson.loads(done.stdout)["partitions"])

    return lambda: asyncio.to_thread(ask)


@asynccontextmanager
async def by_consumer_groups(bootstrap: str, group: str) -> AsyncIterator[Ask]:
    """Ask `kafka-consumer-groups --describe`, for as long as the context lasts.

    Raises:
        NotInstalled: there is no Java with a compiler.
    """
    program = await asyncio.to_thread(java, "Groups.java")
    arguments = ["--bootstrap-server", bootstrap, "--describe", "--group", group]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*program.command, *arguments, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    asking, answers = process.stdin, process.stdout

    async def ask() -> int:
        asking.write(b"\n")
        async with asyncio.timeout(scaled(_ANSWERS_WITHIN)):
            return left((await answers.readuntil(_ANSWER)).decode(), group)

    try:
        yield ask
    finally:
        process.kill()
        await process.wait()


def left(output: str, group: str) -> int:
    """Return the sum of the column LAG. A partition without a committed offset has a dash there: all of it is left.

    Raises:
        LagUnknown: no partition is listed.
    """
    rows = [line.split() for line in output.splitlines() if line.startswith(f"{group} ")]
    if not rows:
        raise LagUnknown(f"kafka-consumer-groups: {output.strip()}")
    return sum(int(end) if lag == "-" else int(lag) for *_, end, lag in (row[:6] for row in rows))


async def seconds_until_none_is_left(ask: Ask, since: float, at_most: float) -> float | None:
    """Return the seconds from `since` (Unix seconds) to the first answer 0, None if none comes in time.

    Raises:
        LagUnknown: an answer was none.
    """
    while time.time() < since + at_most:
        count = await ask()
        if count == 0:
            return max(time.time() - since, 0.0)
        await asyncio.sleep(_PAUSE_SECONDS)
    return None
