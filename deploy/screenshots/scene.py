"""The stack that the pictures show, and what is published to it."""

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from deploy.demo.story import story
from deploy.local.credentials.console_account import NAME, PASSWORD
from deploy.local.ports import HOST, Ports
from deploy.local.stack import Progress, Stack
from deploy.screenshots.browser import chromium
from deploy.screenshots.pictures import Console, Picture, logged_in, take
from deploy.screenshots.story import EXAMPLE, FAILED, INVALID, NOT_JSON, example, failed
from services.console.addresses import call_address
from shared.contract.payloads import TRANSCRIPTION
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.producer import OutgoingRecord, RecordProducer

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"

ON_TIME = (
    Picture("overview", "/", "Nothing is late", 1_150),
    Picture("dead-letters", "/dead-letters", INVALID[0].source, 1_150),
    Picture("calls", "/calls", EXAMPLE[1], 900),
    Picture("call", call_address(*EXAMPLE), "final"),
    Picture("call-error", call_address(*FAILED), "final", 1_000),
)
LATE = (Picture("late", "/", "Cause: no_worker", 1_000), Picture("lag", "/lag", "no_worker", 900))

_TOPICS = Topics()
_ROUNDS, _ROUND_SECONDS = 36, 5.0
_LATE_ROUNDS = 4
_MOST_SECONDS = 60
"""No call of the story is longer."""


def screenshots(progress: Progress, folder: Path = FOLDER) -> None:
    """Write the pictures, and stop everything that it started.

    Raises:
        LocalError: a dependency is missing, or a service did not become ready.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="callfold-screenshots-", ignore_cleanup_errors=True) as state,
        Stack(Path(state), Ports.free(), prometheus=True) as stack,
    ):
        stack.start(progress)
        asyncio.run(_take_all(stack, folder, progress))
        progress("Stopping everything")


async def _take_all(stack: Stack, folder: Path, progress: Progress) -> None:
    console = Console(f"http://{HOST}:{stack.ports.console}", NAME, (stack.console / PASSWORD).read_text())
    async with _producer(stack) as producer, chromium() as browser, logged_in(browser, console) as page:
        progress(f"Publishing calls for {_ROUNDS * _ROUND_SECONDS:.0f} s")
        await _publish(producer, range(_ROUNDS))
        now = _now()
        await producer.deliver([_record(event) for event in (*example(now), *failed(now))])
        _report(await take(page, ON_TIME, folder), progress)

        progress("Stopping the worker, and publishing on")
        stack.supervision.client.stop("worker")
        await _publish(producer, range(_ROUNDS, _ROUNDS + _LATE_ROUNDS))
        _report(await take(page, LATE, folder), progress)


def _report(written: Iterable[Path], progress: Progress) -> None:
    for file in written:
        progress(f"{file} ({file.stat().st_size / 1000:.0f} kB)")


@asynccontextmanager
async def _producer(stack: Stack) -> AsyncIterator[RecordProducer]:
    producer = RecordProducer(KafkaAccess(stack.environment()["CALLFOLD_KAFKA_BOOTSTRAP"]))
    try:
        yield producer
    finally:
        await producer.stop()


async def _publish(producer: RecordProducer, rounds: range) -> None:
    """Publish some calls, and some of what is invalid, in each round."""
    rng = random.Random(1)  # noqa: S311 - a story, not a secret
    for number in rounds:
        begun = time.monotonic()
        calls = story(_now() - _MOST_SECONDS * 1000, seed=number, ordinary=4)
        events = [event for each in calls for event in _renamed(each.events, number)]
        invalid = [event for each in INVALID for event in each.events(_now()) if rng.random() < 1 / _ROUNDS]
        wrong = [OutgoingRecord(_TOPICS.telephony, b"call", NOT_JSON, ())] * (number % 4 == 1)
        await producer.deliver([*map(_record, [*events, *invalid]), *wrong])
        await asyncio.sleep(max(0.0, begun + _ROUND_SECONDS - time.monotonic()))


def _renamed(events: Iterable[dict[str, Any]], number: int) -> Iterable[dict[str, Any]]:
    for event in events:
        yield {**event, "subject": f"{event['subject']}-{number}", "id": f"{event['id']}-{number}"}


def _record(event: dict[str, Any]) -> OutgoingRecord:
    topic = _TOPICS.transcription if event["type"] in TRANSCRIPTION else _TOPICS.telephony
    return OutgoingRecord(topic, event["subject"].encode(), orjson.dumps(event), ())


def _now() -> int:
    return time.time_ns() // 1_000_000
