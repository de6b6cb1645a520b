"""Stores and publishers that make a mistake, around the real ones."""

import asyncio
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from services.worker.settings import WorkerSettings
from shared.contract.strict.vouching import CONTRACT_VERSION
from shared.contract.topics import Topics
from shared.kafka.producer import OutgoingRecord, RecordPublisher
from shared.process.clock import now_ms
from shared.process.logs import logger
from shared.store.models import CallUpdate, FoldResult, Lease, LogDocument
from shared.store.ports import Store, StoreUnavailable
from shared.store.states import MAX_ATTEMPTS
from tests.support.events.makers import Json

log = logger(__name__)

_MANY = 1_000


class WrongStore:
    """The store as it is; a mutant overrides what it does wrong."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


class NeverUpdates(WrongStore):
    """Never comes to the end of an update."""

    async def mark_stale(self, _updates: Sequence[CallUpdate]) -> set[str]:
        await asyncio.Event().wait()
        return set()


class SkipsUpdates(WrongStore):
    async def mark_stale(self, _updates: Sequence[CallUpdate]) -> set[str]:
        return set()


class DropsOneInAThousand(WrongStore):
    async def insert(self, documents: Sequence[LogDocument]) -> None:
        if sum(len(document.events) for document in documents) > _MANY:
            numbers = count(1)
            kept = [
                replace(document, events=tuple(raw for raw in document.events if next(numbers) % _MANY))
                for document in documents
            ]
            documents = [document for document in kept if document.events]
        await self.store.insert(documents)


class SkipsAfterAFailure(WrongStore):
    async def insert(self, documents: Sequence[LogDocument]) -> None:
        try:
            await self.store.insert(documents)
        except StoreUnavailable:
            log.warning("skipped", documents=len(documents))


class AlwaysUnavailable(WrongStore):
    """Takes no event, and makes dead letters of them."""

    def __init__(self, store: Store, dead_letters: RecordPublisher) -> None:
        super().__init__(store)
        self._dead_letters = dead_letters

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        values = [value for document in documents for value in document.events]
        topic = Topics(WorkerSettings.load().topic_prefix).dead_letter
        await self._dead_letters.publish([OutgoingRecord(topic, b"k", value, ()) for value in values])


class CountsCopies(WrongStore):
    """Gives every copy of an event an id of its own."""

    async def read(self, calls: Collection[str]) -> dict[str, list[LogDocument]]:
        log_of = await self.store.read(calls)
        return {call: list(_distinct(documents)) for call, documents in log_of.items()}


class BreaksOthersToo(WrongStore):
    """Leaves no further attempt to a call of which one attempt failed."""

    async def lease(self, calls: Collection[str], token: str) -> list[Lease]:
        leases = await self.store.lease(calls, token)
        return [replace(each, attempts=MAX_ATTEMPTS + 1) if each.attempts > 1 else each for each in leases]


class LogsContent(WrongStore):
    async def insert(self, documents: Sequence[LogDocument]) -> None:
        await self.store.insert(documents)
        for document in documents:
            log.warning("inserted", event_of=document.id, content=document.events[0].decode(errors="replace"))


class VouchesForEverything(WrongStore):
    async def insert(self, documents: Sequence[LogDocument]) -> None:
        await self.store.insert([replace(each, contract=CONTRACT_VERSION, vouched=b"") for each in documents])


class StoresOtherBytes(WrongStore):
    """Adds a blank behind a record, which no reader of JSON notices."""

    async def store_results(self, results: Sequence[tuple[Lease, FoldResult]]) -> set[str]:
        return await self.store.store_results([(each, replace(done, body=done.body + b" ")) for each, done in results])


class SaysThatAllIsWritten(WrongStore):
    """Has a watermark of now, whatever was read."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._advancing: asyncio.Task[None] | None = None

    async def put_watermarks(self, untils: Mapping[int, int], partitions: int) -> None:
        if self._advancing is None and len(untils) == partitions:
            self._advancing = asyncio.create_task(self._advance(untils, partitions))

    async def _advance(self, untils: Mapping[int, int], partitions: int) -> None:
        while True:
            await self.store.put_watermarks(dict.fromkeys(untils, now_ms()), partitions)
            await asyncio.sleep(0.5)


class WrongPublisher:
    """Publishes nothing; a mutant overrides what it publishes instead."""

    def __init__(self, publisher: RecordPublisher) -> None:
        self._publisher = publisher

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        await self._publisher.publish([self.changed(each) for each in self.published(records)])

    def published(self, records: Sequence[OutgoingRecord]) -> Sequence[OutgoingRecord]:
        return records

    def changed(self, record: OutgoingRecord) -> OutgoingRecord:
        return record


class PublishesNothing(WrongPublisher):
    def published(self, _records: Sequence[OutgoingRecord]) -> Sequence[OutgoingRecord]:
        return ()


class PassesOverInSilence(WrongPublisher):
    def published(self, records: Sequence[OutgoingRecord]) -> Sequence[OutgoingRecord]:
        return [each for each in records if "last_offset" not in dict(each.headers)]


class DropsOne(WrongPublisher):
    def published(self, records: Sequence[OutgoingRecord]) -> Sequence[OutgoingRecord]:
        return records[1:] if len(records) > 1 else records


class Cuts(WrongPublisher):
    def changed(self, record: OutgoingRecord) -> OutgoingRecord:
        return replace(record, value=record.value and record.value[:100])


class MistakesTheReason(WrongPublisher):
    def changed(self, record: OutgoingRecord) -> OutgoingRecord:
        return replace(record, headers=(*record.headers, ("reason", b"not_json")))


class QuotesContent(WrongPublisher):
    def changed(self, record: OutgoingRecord) -> OutgoingRecord:
        return replace(record, headers=(*record.headers, ("detail", b"got %b" % (record.value or b"")[:1_000])))


def _distinct(documents: Sequence[LogDocument]) -> Iterator[LogDocument]:
    seen: set[tuple[str, str]] = set()
    for document in documents:
        events = []
        for raw in document.events:
            body: Json = json.loads(raw)
            known = (body["source"], body["id"]) in seen
            seen.add((body["source"], body["id"]))
            copy = json.dumps({**body, "id": f"{body['id']} of {document.id}"}).encode()
            events.append(copy if known else raw)
        yield replace(document, events=tuple(events))
