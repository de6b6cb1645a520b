"""One canary call from its first event to its final record: what is measured, and what it counts as."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import orjson

from services.monitor.canary.call import CanaryCall, CanaryEvent
from services.monitor.canary.differences import differences
from services.monitor.canary.ports import Answer, ApiUnavailable, RecordReader
from shared.contract.topics import Topics
from shared.kafka.errors import KafkaUnavailable
from shared.kafka.producer import OutgoingRecord, RecordPublisher

_FINAL = "final"
_HEADERS = (("content-type", b"application/cloudevents+json"),)
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_PAUSE_SHARE = 0.1  # of the time that passed: what is measured is at most so much too long, and an outage costs little


class Result(StrEnum):
    """What a call counts as."""

    RIGHT = "right"
    """Its record was final and exactly as expected, both in time."""
    WRONG = "wrong"
    """Its record was final, and not as expected."""
    LATE = "late"
    """It was not readable, or not final, in time."""
    NOT_PUBLISHED = "not_published"
    """Kafka did not acknowledge its events."""
    NOT_READ = "not_read"
    """The API did not answer when time was up, or refused."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds from a publication on: until a call is late, and until it is read no more."""

    late: float = 10.0
    give_up: float = 60.0


@dataclass(slots=True)
class CanaryReport:
    """What is known of one call: seconds from the publication until it was seen, None while it was not.

    `result` is None while the call is neither final nor late; a late call whose record is wrong becomes wrong. `why`
    says why it could not be published or read, `wrong_fields` which fields are wrong.
    """

    call_id: str
    started_at: float
    result: Result | None = None
    readable_seconds: float | None = None
    final_seconds: float | None = None
    finality: str = ""
    why: str | None = None
    wrong_fields: Sequence[str] = ()


class Observer:
    """What learns of each call; this one ignores it."""

    def readable(self, seconds: float) -> None:
        """A call was seen after so many seconds, or was not within so many."""

    def final(self, seconds: float) -> None:
        """A record was final and right after so many seconds, or was not within so many."""

    def result(self, report: CanaryReport) -> None:
        """A call has a result, or another one."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What canary calls run on; `now` returns seconds of a steady clock."""

    topics: Topics
    publisher: RecordPublisher
    reader: RecordReader
    observer: Observer = field(default_factory=Observer)
    limits: Limits = field(default_factory=Limits)
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class CanaryRun:
    """Publishes one call and reads it until it is final, right, or given up."""

    def __init__(self, call: CanaryCall, stage: Stage) -> None:
        self.report = CanaryReport(call.call_id, time.time())
        self._call = call
        self._stage = stage
        self._answer = Answer()

    async def run(self) -> None:
        """Return when there is nothing more to be learnt of the call."""
        stage, report = self._stage, self.report
        began = stage.now()
        if not await self._published(self._call.first_events(stage.topics)):
            return
        seen = await self._reads_until(self._is_seen, began + stage.limits.late)
        report.readable_seconds = self._measured(stage.observer.readable, began, seen=seen)
        if not seen:
            self._count(self._unseen())
        began = stage.now()
        # Also of a call that was not seen: else it would be open until the idle-call timeout.
        if await self._published(self._call.last_events(stage.topics)):
            right = await self._until_right(began)
            report.final_seconds = self._measured(stage.observer.final, began, seen=right)

    async def _until_right(self, began: float) -> bool:
        """Read until the record is final and right, or until it is wrong or given up; count what it is."""
        limits = self._stage.limits
        if right := await self._reads_until(self._is_right, began + limits.late):
            self._count(Result.RIGHT)
        elif self._is_final():
            self._count_wrong()
        else:
            self._count(self._unseen())
            right = await self._reads_until(self._is_right, began + limits.give_up)
            if not right and self._is_final():
                self._count_wrong()
        return right

    async def _published(self, events: Sequence[CanaryEvent]) -> bool:
        key = self._call.call_id.encode()
        records = [OutgoingRecord(each.topic, key, orjson.dumps(each.body), _HEADERS) for each in events]
        try:
            await self._stage.publisher.publish(records)
        except KafkaUnavailable as error:
            self.report.why = str(error)
            self._count(Result.NOT_PUBLISHED)
            return False
        return True

    async def _reads_until(self, condition: Callable[[], bool], deadline: float) -> bool:
        """Read again and again; return whether the condition came true by then."""
        began = self._stage.now()
        while True:
            passed = self._stage.now() - began
            await self._stage.sleep(min(max(passed * _PAUSE_SHARE, _SHORTEST_PAUSE), _LONGEST_PAUSE))
            if await self._reads() and condition():
                return True
            if self._stage.now() >= deadline:
                return False

    async def _reads(self) -> bool:
        try:
            self._answer = await self._stage.reader.read(self._call.call_id, self._answer)
        except ApiUnavailable as error:
            self.report.why = str(error)
            return False
        self.report.why, self.report.finality = None, self._answer.finality
        return True

    def _is_seen(self) -> bool:
        record = self._answer.record
        return isinstance(record, dict) and record.get("call_status") == "ONGOING"

    def _is_final(self) -> bool:
        return self._answer.finality == _FINAL

    def _is_right(self) -> bool:
        return self._is_final() and not differences(self._call.record(), self._answer.record)

    def _unseen(self) -> Result:
        return Result.LATE if self.report.why is None else Result.NOT_READ

    def _measured(self, observe: Callable[[float], None], began: float, *, seen: bool) -> float | None:
        """Observe how long it took, or how long was waited in vain; not where the API could not be asked."""
        seconds = self._stage.now() - began
        if seen or self.report.why is None:
            observe(seconds)
        return seconds if seen else None

    def _count_wrong(self) -> None:
        self.report.wrong_fields = differences(self._call.record(), self._answer.record)
        self.report.result = None  # it counts as wrong, whatever it counted as before
        self._count(Result.WRONG)

    def _count(self, result: Result) -> None:
        """Count the call once: what it is first is what it is, unless its record is wrong."""
        if self.report.result is None:
            self.report.result = result
            self._stage.observer.result(self.report)
