"""The idle-call timeout: calls without new events get an inferred end, published as an event like any other.

Nothing is stored about published ends: an end is written, and its call marked stale, before the commit barrier passes
that is set after it (docs/decisions/0010).
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from aiokafka.errors import KafkaError
from cachetools import LRUCache

from services.worker import metrics
from services.worker.maintenance.commit_barrier import CommitBarrier, Ends
from services.worker.maintenance.inferred_end import OpenCall, inferred_end, open_call
from shared.calls.decode_document import decoded_in_parts
from shared.config.policies import Policies
from shared.contract.decode_event import Event
from shared.kafka.access import KafkaAccess
from shared.kafka.diagnose import diagnose
from shared.kafka.errors import KafkaUnavailable
from shared.kafka.producer import OutgoingRecord, RecordProducer, RecordPublisher
from shared.process.clock import now_ms
from shared.process.logs import logger
from shared.store.models import CallArrival, CallUpdate, LogDocument
from shared.store.ports import Store, StoreUnavailable

log = logger(__name__)

_PAGE = 100
_ROUND_BYTES = 64 * 1024 * 1024
_CALL_BYTES = 16 * 1024  # the overhead of one call
_DECODED_AT_ONCE = 200
_MOST_POSTPONED = 200_000
_POSTPONE_MS = 3_600_000
_PUBLISH_SECONDS = 20.0
_STOP_SECONDS = 1.0
_HEADERS = (("content-type", b"application/cloudevents+json"),)


class KafkaInferredEnds:
    """Publishes inferred ends; it connects when it is first used."""

    def __init__(self, kafka: KafkaAccess) -> None:
        self._kafka = kafka
        self._producer = RecordProducer(kafka)

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        try:
            # An idempotent producer retries by itself: what it delivers after the timeout is the same event.
            async with asyncio.timeout(_PUBLISH_SECONDS):
                too_large = await self._producer.deliver(records)
        except TimeoutError as error:
            raise KafkaUnavailable(await diagnose(error, self._kafka)) from error
        except (KafkaError, OSError) as error:
            await self.stop()
            raise KafkaUnavailable(await diagnose(error, self._kafka)) from error
        if too_large:
            raise KafkaUnavailable(f"{len(too_large)} inferred ends are too large for {too_large[0].topic}")

    async def stop(self) -> None:
        """Close the connection; what is being sent has a second left."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await self._producer.stop()


def end_record(call: OpenCall, topic: str) -> OutgoingRecord:
    """Return the record of a call's inferred end."""
    return OutgoingRecord(topic, call.call_id.encode(), inferred_end(call), _HEADERS)


def _that_remain(ends: Ends, now: Ends) -> Ends:
    """Return the ends without what is gone: a topic that was made anew is shorter, or has fewer partitions."""
    return {part: min(end, now[part]) for part, end in ends.items() if part in now}


@dataclass(frozen=True, slots=True)
class Round:
    """One round: how many calls were ended, by the status they had, and how many were marked stale instead."""

    ended: Counter[str] = field(default_factory=Counter)
    marked: int = 0


class IdleCallTimeout:
    """Ends idle calls of the partitions that `owned` returns, by the policies of their organizations.

    `topic` is where inferred ends are published; `clock` returns Unix milliseconds.
    """

    def __init__(
        self,
        store: Store,
        inferred_ends: RecordPublisher,
        commit_barrier: CommitBarrier,
        policies: Policies,
        owned: Callable[[], Collection[int]],
        *,
        topic: str,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._store = store
        self._inferred_ends = inferred_ends
        self._commit_barrier = commit_barrier
        self._policies = policies
        self._owned = owned
        self._topic = topic
        self._clock = clock
        self._barrier: tuple[int, Ends] | None = None
        self._after: CallArrival | None = None
        self._budget = 0
        # When a call is examined again, if it is still as idle by then.
        self._not_before: LRUCache[CallArrival, int] = LRUCache(_MOST_POSTPONED)

    async def step(self) -> Round:
        """End the calls that had been idle for too long when the barrier was set, once it has passed; set the next one.

        Raises:
            StoreUnavailable: the store does not answer.
            KafkaUnavailable: Kafka does not answer.
        """
        result = Round()
        if self._barrier is not None:
            moment, ends = self._barrier
            metrics.COMMIT_BARRIER_AGE.set((self._clock() - moment) / 1000)
            if not await self._commit_barrier.passed(ends):
                self._barrier = (moment, _that_remain(ends, await self._commit_barrier.ends()))
                return result
            metrics.COMMIT_BARRIER_AGE.set(0)
            result = await self._end_idle_calls(moment)
        # The clock first: all that had arrived by then lies before the ends.
        self._barrier = (self._clock(), await self._commit_barrier.ends())
        return result

    async def _end_idle_calls(self, moment: int) -> Round:
        """Go through the idle calls, from where the last round's budget ended."""
        before = moment - self._policies.shortest_ms - self._policies.slack_ms
        self._budget, result = _ROUND_BYTES, Round()
        while self._budget > 0 and (owned := self._owned()):
            page = await self._store.idle_calls(owned, before, self._after, _PAGE)
            result = await self._end_page(page, moment, result)
            self._after = page[-1] if len(page) == _PAGE else None
            if self._after is None:
                break
        if result.ended:
            log.info("idle_calls_ended", calls=result.ended.total(), by_status=dict(result.ended))
        return result

    async def _end_page(self, page: Sequence[CallArrival], moment: int, result: Round) -> Round:
        examined = [await self._examine(idle, moment) for idle in page]
        calls = [each for each in examined if isinstance(each, OpenCall)]
        updates = [each for each in examined if isinstance(each, CallUpdate)]
        if calls:
            await self._inferred_ends.publish([end_record(call, self._topic) for call in calls])
        await self._store.mark_stale(updates)
        for call in calls:
            metrics.IDLE_CALLS_ENDED.labels(call.status).inc()
        return Round(result.ended + Counter(call.status for call in calls), result.marked + len(updates))

    async def _examine(self, idle: CallArrival, moment: int) -> OpenCall | CallUpdate | None:
        """Return the call if it is to be ended, an update that has it folded instead, or None."""
        if self._not_before.get(idle, 0) > moment:
            return None
        try:
            documents = (await self._store.read([idle.call]))[idle.call]
            if not documents:
                return None  # deleted since the page was read
            call = open_call(await self._decoded(documents))
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("idle_call_unreadable", call=idle.call)
            call = None
        if call is None:
            # It has ended, or cannot be read: the fold finds out which.
            self._not_before[idle] = moment + _POSTPONE_MS
            return CallUpdate(idle.call, idle.partition, idle.last_arrival, stale=True)
        due = call.due(idle.last_arrival, self._policies.of(call.organization_id)) + self._policies.slack_ms
        if due < moment:
            return call
        self._not_before[idle] = due
        return None

    async def _decoded(self, documents: Sequence[LogDocument]) -> list[Event]:
        events: list[Event] = []
        self._budget -= _CALL_BYTES
        for document in documents:
            self._budget -= sum(map(len, document.events))
            for part in decoded_in_parts(document, _DECODED_AT_ONCE):
                events += [event for event in part if isinstance(event, Event)]
                await asyncio.sleep(0)  # the batches go first
        return events
