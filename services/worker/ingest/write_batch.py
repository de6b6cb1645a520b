"""The flush of one batch: dead letters, insert, look, mark, redact or delete. After it the offsets may be committed.

The order is what keeps the law (docs/decisions/0003): whoever inserts looks afterwards, so that either the folder that
claims the call reads these events, or the look finds it folding or settled and marks it again.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import chain
from typing import TypeVar

from services.worker.folding.schedule import FoldSchedule
from services.worker.ingest.dead_letters import DeadLetters, DeadLettersUnavailable, letter
from services.worker.ingest.decode_batch import Batch, KafkaRecord, decode_batch
from services.worker.ingest.staleness import GrowthTrigger, updates_of
from services.worker.runtime.retry import retry_until_available
from shared.config.policies import LONGEST_SLACK_MS
from shared.contract.timestamps import rfc3339
from shared.fold.redaction import redact
from shared.process import metrics
from shared.process.clock import now_ms
from shared.store.models import CallSnapshot, CallUpdate, LogDocument
from shared.store.ports import Store, StoreUnavailable
from shared.store.states import State

T = TypeVar("T")


class BatchWriter:
    """Writes batches; waits for whatever does not answer, as long as `needless` does not say that it may stop."""

    def __init__(
        self,
        store: Store,
        dead_letters: DeadLetters,
        schedule: FoldSchedule,
        *,
        partitions: int,
        log_id_hmac_key: bytes,
        slack_ms: int = LONGEST_SLACK_MS,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._dead_letters = dead_letters
        self._schedule = schedule
        self._partitions = partitions
        self._log_id_hmac_key = log_id_hmac_key
        self._slack_ms = slack_ms
        self._needless = should_stop
        self._growth = GrowthTrigger()

    async def flush(self, records: Sequence[KafkaRecord]) -> Batch:
        """Return what the records brought, once all of it is kept.

        Raises:
            GivenUp: it was not; nothing may be acknowledged.
        """
        with metrics.BATCH_WRITE_SECONDS.time():
            batch = decode_batch(records, self._partitions, now_ms())
            if batch.rejected:
                refused_at = rfc3339(now_ms())
                letters = [letter(rejected, refused_at) for rejected in batch.rejected]
                await self._insist("kafka", lambda: self._dead_letters.publish(letters), DeadLettersUnavailable)
            if batch.calls:
                await self._keep(batch)
        self._count(batch)
        return batch

    async def _keep(self, batch: Batch) -> None:
        written = {key: list(call.documents(self._log_id_hmac_key)) for key, call in batch.calls.items()}
        await self._ask(lambda: self._store.insert(list(chain.from_iterable(written.values()))))
        seen = await self._ask(lambda: self._store.read_states(batch.calls.keys()))
        marks = updates_of(batch.calls, seen, self._growth, self._slack_ms)
        deleted = await self._ask(lambda: self._store.mark_stale(marks))
        redacted = _redacted(written, {key: found for key, found in seen.items() if key not in deleted})
        if redacted:
            await self._ask(lambda: self._store.redact(redacted))
        if deleted:
            # All there is, not the batch's own alone: a batch that crashed before may have been cut differently.
            await self._ask(lambda: self._store.delete_log(deleted))
            metrics.LATE_EVENTS.inc(sum(batch.calls[key].events for key in deleted))
        self._note(batch, seen, [mark for mark in marks if mark.call not in deleted])

    def _note(self, batch: Batch, seen: Mapping[str, CallSnapshot], marks: Sequence[CallUpdate]) -> None:
        marked = {mark.call for mark in marks if mark.stale}
        now = now_ms()
        for key, call in batch.calls.items():
            found = seen.get(key)
            if key in marked:
                self._schedule.note(key, call.partition, call.last_arrival, stale_since=now)
            elif found is not None and found.state is State.STALE:
                self._schedule.note(key, call.partition, call.last_arrival, stale_since=None)

    async def _ask(self, act: Callable[[], Awaitable[T]]) -> T:
        return await self._insist("mongodb", act, StoreUnavailable)

    async def _insist(self, what: str, act: Callable[[], Awaitable[T]], error_type: type[Exception]) -> T:
        return await retry_until_available(what, act, error_type, should_stop=self._needless)

    @staticmethod
    def _count(batch: Batch) -> None:
        metrics.BATCHES.inc()
        metrics.LAST_BATCH.set_to_current_time()
        for topic, events in batch.events.items():
            metrics.EVENTS.labels(topic).inc(events)
        for reason, letters in Counter(rejected.why.reason for rejected in batch.rejected).items():
            metrics.DEAD_LETTERS.labels(reason).inc(letters)
        metrics.MIS_KEYED_EVENTS.inc(sum(call.mis_keyed for call in batch.calls.values()))


def _redacted(written: Mapping[str, Sequence[LogDocument]], seen: Mapping[str, CallSnapshot]) -> list[LogDocument]:
    """Return the batch's own documents of opted-out calls, redacted: the folder may have read the log by now."""
    return [
        LogDocument(document.id, tuple(redact(raw) for raw in document.events))
        for key, found in seen.items()
        if found.opted_out
        for document in written[key]
    ]
