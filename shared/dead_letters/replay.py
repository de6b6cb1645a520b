"""Sending dead letters back to the topics that they came from (docs/decisions/0012)."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from aiokafka.errors import KafkaError

from shared.contract.decode_event import Event, decode
from shared.contract.topics import Topics
from shared.dead_letters import reader
from shared.dead_letters.dead_letter import DeadLetter
from shared.dead_letters.ingested import already_ingested, identity
from shared.dead_letters.reader import Report
from shared.dead_letters.replayable import replayed, why_not_replayable
from shared.dead_letters.scan import Scan
from shared.dead_letters.selection import Selection
from shared.kafka import admin
from shared.kafka.access import KafkaAccess
from shared.kafka.producer import RecordProducer
from shared.store.ports import Store

_BATCH_RECORDS = 500
_BATCH_BYTES = 4 * 1024 * 1024
_NAMED = 5
_STOP_SECONDS = 2

REPLACED = "sent back since; if it was refused again, its later dead letter is replayed instead"
TRIED = "refused again after an earlier replay"
INGESTED = "its event is already in the log"

UNLESS_AGAIN = frozenset({TRIED, INGESTED})
"""Why a dead letter is left out that `again` includes."""

_TOO_LARGE = "it is too large for its topic (max.message.bytes)"


@dataclass(slots=True)
class Group:
    """How many dead letters have the same outcome, and the numbers of the first few."""

    count: int = 0
    first: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """How many dead letters were sent back; by reason, those that need no replay and those that cannot be replayed."""

    sent: int = 0
    skipped: dict[str, Group] = field(default_factory=dict)
    refused: dict[str, Group] = field(default_factory=dict)


class Replay:
    """One run. `again` includes what was refused again or is already in the log; a `dry` run sends nothing.

    `sent` receives each dead letter that was sent back.
    """

    def __init__(
        self,
        kafka: KafkaAccess,
        topics: Topics,
        selection: Selection,
        *,
        again: bool = False,
        dry: bool = False,
        sent: Callable[[DeadLetter], None] = lambda _: None,
    ) -> None:
        self._kafka = kafka
        self._topics = topics
        self._selection = selection
        self._again = again
        self._dry = dry
        self._sent = sent
        self._producer = RecordProducer(kafka, request_timeout_ms=admin.TIMEOUT_MS)
        self.tally = Tally()

    async def run(self, store: Store, scan: Scan, report: Report) -> Tally:
        """Replay the selected dead letters of the scan; return when Kafka has acknowledged all of them.

        Whatever is raised, `tally.sent` were sent back by then, perhaps more. Running again does no harm: an event
        that arrives twice counts once.

        Raises:
            KafkaUnavailable: Kafka does not answer.
            StoreUnavailable: the store does not answer.
            NoSuchDeadLetter: one of the selection is no longer there.
        """
        try:
            await admin.partitions(self._kafka, *self._topics.inputs)
            await self._run(store, scan, report)
        finally:
            # Everything is acknowledged, or will not be: an idempotent producer would retry for ever.
            with suppress(TimeoutError, KafkaError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await self._producer.stop()
        return self.tally

    async def _run(self, store: Store, scan: Scan, report: Report) -> None:
        batch: list[DeadLetter] = []
        size = 0
        async with reader.opened(self._kafka, self._topics.dead_letter, ranges=scan.ranges) as topic:
            async for letter in topic.selected(self._selection, report):
                if not self._is_due(letter, scan):
                    continue
                batch.append(letter)
                size += len(letter.record.value or b"")
                if len(batch) >= _BATCH_RECORDS or size >= _BATCH_BYTES:
                    await self._send(store, batch)
                    batch, size = [], 0
            await self._send(store, batch)

    def _is_due(self, letter: DeadLetter, scan: Scan) -> bool:
        # A record that was refused again has several dead letters: without a number only its last one is replayed, or
        # the record would multiply with each run.
        place = (letter.record.partition, letter.record.offset)
        named = self._again and self._selection.numbers and (scan.seen is None or place in scan.seen)
        if why := why_not_replayable(letter, self._topics):
            _count(self.tally.refused, why, letter)
        elif place in scan.replaced and not named:
            _count(self.tally.skipped, REPLACED, letter)
        elif letter.replays and not self._again:
            _count(self.tally.skipped, TRIED, letter)
        else:
            return True
        return False

    async def _send(self, store: Store, batch: list[DeadLetter]) -> None:
        due = batch if self._again else await self._not_ingested(store, batch)
        sent = {id(record := replayed(letter)): (record, letter) for letter in due}
        if due and not self._dry:
            async with asyncio.timeout(admin.TIMEOUT_SECONDS):
                for record in await self._producer.deliver([record for record, _ in sent.values()]):
                    _count(self.tally.refused, _TOO_LARGE, sent.pop(id(record))[1])
            for _, letter in sent.values():
                self._sent(letter)
        self.tally.sent += len(sent)

    async def _not_ingested(self, store: Store, batch: list[DeadLetter]) -> list[DeadLetter]:
        records = [letter.record for letter in batch]
        events = [decode(each.value, each.headers, arrival=each.timestamp) for each in records]
        valid = [event for event in events if isinstance(event, Event)]
        if not valid:  # the usual case, which needs no MongoDB
            return batch
        ingested = await already_ingested(store, valid)
        due: list[DeadLetter] = []
        for letter, event in zip(batch, events, strict=True):
            if isinstance(event, Event) and identity(event) in ingested:
                _count(self.tally.skipped, INGESTED, letter)
            else:
                due.append(letter)
        return due


def _count(groups: dict[str, Group], why: str, letter: DeadLetter) -> None:
    group = groups.setdefault(why, Group())
    group.count += 1
    if len(group.first) < _NAMED:
        group.first.append(letter.number)
