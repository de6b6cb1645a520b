"""Readings a second apart, until there is a verdict."""

import asyncio
import time

from services.ops.errors import CommandError
from services.ops.lag.sources import Reader, kafka_reader, reader
from services.ops.program import Program
from services.ops.settings import OpsSettings
from shared.kafka import admin
from shared.lag.history import History
from shared.lag.judge import judge
from shared.lag.models import GroupState, Health, Lag, Verdict
from shared.lag.trail import WAIT_SECONDS

EVERY_SECONDS = 1.0
USUAL_SECONDS = 3.0
"""Some commits of the workers, which commit every second."""

LONGEST_SECONDS = WAIT_SECONDS + 1
_ATTEMPTS = 3


async def take(program: Program, settings: OpsSettings, window: float | None) -> Lag:
    """Return the lag after so many seconds of readings; None: some, and more while there is no verdict.

    Raises:
        KafkaUnavailable: Kafka does not answer, or a topic does not exist.
        CommandError: it cannot be read for another reason.
    """
    # One reading is over before MongoDB has answered.
    async with kafka_reader(settings) if window == 0 else reader(program, settings) as opened:
        for _ in range(_ATTEMPTS):
            if lag := await taken(opened, settings.group, window):
                return lag
            await admin.partitions(settings.kafka, *settings.topics.inputs)
    raise CommandError("the lag cannot be read: Kafka answers too late")


async def taken(opened: Reader, group: str, window: float | None) -> Lag | None:
    """Return the lag; None if a topic is missing, or Kafka did not answer.

    Raises:
        CommandError: a right is missing without which no partition can be read.
    """
    history, started = History(), time.monotonic()
    shortest, longest = (USUAL_SECONDS, LONGEST_SECONDS) if window is None else (window, window)
    while True:
        due = time.monotonic() + EVERY_SECONDS
        reading = await opened.read()
        history.add(reading)
        lag, passed = judge(group, history), time.monotonic() - started
        if reading.kafka is Health.WELL and reading.hidden and not lag.partitions:
            raise CommandError(f"the lag cannot be read: {'; '.join(reading.hidden)}")
        if reading.missing_topics or not lag.partitions:
            return None
        if passed >= longest or (passed >= shortest and not needs_time(lag)):
            return lag
        await asyncio.sleep(max(due - time.monotonic(), 0))


def needs_time(lag: Lag) -> bool:
    """Return whether a partition has no verdict, though all of it is known."""
    return lag.state is not GroupState.UNKNOWN and any(
        part.verdict is Verdict.UNKNOWN and part.lag_seconds is not None for part in lag.partitions
    )
