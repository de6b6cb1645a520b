"""The write of one batch: dead letters, insert, read states, mark stale, redact or delete.

Its offsets may be committed after that, not before.

The order keeps the invariant of docs/decisions/0003: states are read after the insert. So either the fold loop that
leases the call reads these events, or this batch finds the call folding or settled and marks it stale again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from itertools import chain
from time import perf_counter
from typing import TypeVar

from services.worker.folding.schedule import FoldSchedule
from services.worker.ingest.batch_metrics import Step, Timed, Written, record_batch
from services.worker.ingest.dead_letters import dead_letter
from services.worker.ingest.decode_batch import Batch, KafkaRecord, RejectedRecord, decode_batch
from services.worker.ingest.staleness import GrowthTrigger, updates_of
from services.worker.runtime.retry import retry_until_available
from shared.config.policies import LONGEST_SLACK_MS
from shared.contract.timestamps import rfc3339
from shared.fold.redaction import redact
from shared.kafka.errors import KafkaUnavailable
from shared.kafka.producer import RecordPublisher
from shared.process.batching import grouped
from shared.process.clock import now_ms
from shared.store.models import CallSnapshot, LogDocument
from shared.store.ports import Store, StoreUnavailable
from shared.store.states import State

T = TypeVar("T")

# So many events are decoded in about 30 ms, while nothing else of the worker goes on.
_SLICE = 2_000


class BatchWriter:
    """Writes batches; retries while a dependency is unavailable, until `should_stop` returns True.

    `partitions` returns the number of each input topic's.
    """

    def __init__(
        self,
        store: Store,
        dead_letters: RecordPublisher,
        schedule: FoldSchedule,
        *,
        dead_letter_topic: str,
        partitions: Callable[[], int],
        log_id_hmac_key: bytes,
        slack_ms: int = LONGEST_SLACK_MS,
        should_stop: Callable[[], bool] = lambda: False,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._store = store
        self._dead_letters = dead_letters
        self._schedule = schedule
        self._dead_letter_topic = dead_letter_topic
        self._partitions = partitions
        self._log_id_hmac_key = log_id_hmac_key
        self._slack_ms = slack_ms
        self._should_stop = should_stop
        self._clock = clock
        self._growth_trigger = GrowthTrigger()

    async def write(self, records: Sequence[KafkaRecord]) -> Batch:
        """Return the batch that the records make, once all of it is written.

        Raises:
            RetryAborted: not all of it is written; nothing may be acknowledged.
        """
        written: Written | None = None
        began = perf_counter()
        with Timed(Step.DECODE):
            batch = await self._decode(records)
        if batch.rejected:
            await self._reject(batch.rejected)
        if batch.calls:
            written = await self._write_calls(batch)
        record_batch(batch, written, perf_counter() - began)
        return batch

    async def _decode(self, records: Sequence[KafkaRecord]) -> Batch:
        """Return the batch; between slices of it folds, the other batch and the health server have their turn."""
        partitions, now = self._partitions(), self._clock()
        batch = decode_batch(records[:_SLICE], partitions, now)
        for start in range(_SLICE, len(records), _SLICE):
            await asyncio.sleep(0)
            decode_batch(records[start : start + _SLICE], partitions, now, batch)
        return batch

    async def _documents(self, batch: Batch) -> dict[str, list[LogDocument]]:
        """Return the documents of each call, made in slices as well."""
        documents: dict[str, list[LogDocument]] = {}
        for calls in grouped(batch.calls.values(), lambda call: call.events, _SLICE):
            if documents:
                await asyncio.sleep(0)
            documents |= {call.key: list(call.documents(self._log_id_hmac_key)) for call in calls}
        return documents

    async def _reject(self, rejected: Sequence[RejectedRecord]) -> None:
        rejected_at = rfc3339(self._clock())
        dead_letters = [dead_letter(each, self._dead_letter_topic, rejected_at) for each in rejected]
        with Timed(Step.DEAD_LETTERS):
            await self._retry("kafka", lambda: self._dead_letters.publish(dead_letters), KafkaUnavailable)

    async def _write_calls(self, batch: Batch) -> Written:
        documents = await self._documents(batch)
        inserted = list(chain.from_iterable(documents.values()))
        await self._store_step(Step.INSERT, lambda: self._store.insert(inserted))
        durable_at = self._clock()
        snapshots = await self._store_step(Step.READ_STATES, lambda: self._store.read_states(batch.calls.keys()))
        updates = updates_of(batch.calls, snapshots, self._growth_trigger, self._slack_ms)
        deleted = await self._store_step(Step.MARK_STALE, lambda: self._store.mark_stale(updates))
        # From here on each read has the events: the call has its header, and no record that lacks them is served.
        readable_at = self._clock()
        redacted = _redacted(documents, {key: each for key, each in snapshots.items() if key not in deleted})
        if redacted:
            await self._store_step(Step.REDACT, lambda: self._store.redact(redacted))
        if deleted:
            # The whole log, not this batch's documents: a batch before a crash may have been cut differently.
            await self._store_step(Step.DELETE, lambda: self._store.delete_log(deleted))
        self._schedule_folds(batch, snapshots, {each.call for each in updates if each.stale} - deleted)
        return Written(deleted, durable_at, readable_at)

    def _schedule_folds(self, batch: Batch, snapshots: Mapping[str, CallSnapshot], marked: Collection[str]) -> None:
        now = self._clock()
        for key, call in batch.calls.items():
            snapshot = snapshots.get(key)
            if key in marked:
                self._schedule.observe(key, call.partition, call.last_arrival, stale_since=now)
            elif snapshot is not None and snapshot.state is State.STALE:
                self._schedule.observe(key, call.partition, call.last_arrival, stale_since=None)

    async def _store_step(self, step: Step, act: Callable[[], Awaitable[T]]) -> T:
        with Timed(step):
            return await self._retry("mongodb", act, StoreUnavailable)

    async def _retry(self, dependency: str, act: Callable[[], Awaitable[T]], error_type: type[Exception]) -> T:
        return await retry_until_available(dependency, act, error_type, should_stop=self._should_stop)


def _redacted(
    documents: Mapping[str, Sequence[LogDocument]], snapshots: Mapping[str, CallSnapshot]
) -> list[LogDocument]:
    """Return the batch's documents of opted-out calls, redacted: a fold may have read and redacted the log before."""
    return [
        LogDocument(document.id, tuple(redact(raw) for raw in document.events))
        for key, snapshot in snapshots.items()
        if snapshot.opted_out
        for document in documents[key]
    ]
