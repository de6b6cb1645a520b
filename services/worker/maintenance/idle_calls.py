"""The closer: gives calls from which nothing comes any more an inferred end, published as an event among the others.

Nothing is remembered of what was published: an end is written, and its call marked, before the fence is passed that was
set up after it (docs/decisions/0010).
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from cachetools import LRUCache

from services.worker.maintenance.commit_barrier import CommitBarrier, Ends
from services.worker.maintenance.inferred_end import OpenCall, inferred_end, open_call
from services.worker.maintenance.telephony import InferredEndPublisher
from shared.config.policies import Policies
from shared.contract.envelope import Event, decode_logged
from shared.process import metrics
from shared.process.clock import now_ms
from shared.process.logs import logger
from shared.store.models import CallArrival, CallUpdate, LogDocument
from shared.store.ports import Store, StoreUnavailable

log = logger(__name__)

_PAGE = 100
_ROUND_BYTES = 64 * 1024 * 1024
_CALL_BYTES = 16 * 1024  # what a call costs besides its events
_DECODED_AT_ONCE = 200
_REMEMBERED = 200_000
_AGAIN_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Round:
    """What a round did: how many calls it closed, by the status they had, and how many it left to the folder."""

    closed: Counter[str] = field(default_factory=Counter)
    marked: int = 0


class IdleCallTimeout:
    """Closes silent calls of the partitions that `owned` tells of, as the policies of their organizations say."""

    def __init__(
        self,
        store: Store,
        telephony: InferredEndPublisher,
        commit_barrier: CommitBarrier,
        policies: Policies,
        owned: Callable[[], Collection[int]],
        *,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._store = store
        self._telephony = telephony
        self._commit_barrier = commit_barrier
        self._policies = policies
        self._owned = owned
        self._clock = clock
        self._awaited: tuple[int, Ends] | None = None
        self._after: CallArrival | None = None
        self._budget = 0
        # When a call may be looked into again, should it still be as silent then.
        self._not_before: LRUCache[CallArrival, int] = LRUCache(_REMEMBERED)

    async def step(self) -> Round:
        """Close what had been silent for too long at a moment before which all that came is written by now.

        Raises:
            StoreUnavailable: the store does not answer.
            KafkaUnavailable: Kafka does not answer.
        """
        done = Round()
        if self._awaited is not None:
            moment, ends = self._awaited
            metrics.COMMIT_BARRIER_AGE.set((self._clock() - moment) / 1000)
            if not await self._commit_barrier.passed(ends):
                return done
            metrics.COMMIT_BARRIER_AGE.set(0)
            done = await self._close(moment)
        # The clock first: all that had arrived by then lies before the ends.
        self._awaited = (self._clock(), await self._commit_barrier.ends())
        return done

    async def _close(self, moment: int) -> Round:
        """Go through the silent calls, on from where the last round had read enough."""
        before = moment - self._policies.shortest_ms - self._policies.slack_ms
        self._budget, done = _ROUND_BYTES, Round()
        while self._budget > 0 and (owned := self._owned()):
            page = await self._store.idle_calls(owned, before, self._after, _PAGE)
            done = await self._close_page(page, moment, done)
            self._after = page[-1] if len(page) == _PAGE else None
            if self._after is None:
                break
        if done.closed:
            log.info("idle_calls_ended", calls=done.closed.total(), by_status=dict(done.closed))
        return done

    async def _close_page(self, page: Sequence[CallArrival], moment: int, done: Round) -> Round:
        found = [await self._look_into(silent, moment) for silent in page]
        calls = [each for each in found if isinstance(each, OpenCall)]
        marks = [each for each in found if isinstance(each, CallUpdate)]
        if calls:
            await self._telephony.publish([inferred_end(call) for call in calls])
        await self._store.mark_stale(marks)
        for call in calls:
            metrics.IDLE_CALLS_ENDED.labels(call.status).inc()
        return Round(done.closed + Counter(call.status for call in calls), done.marked + len(marks))

    async def _look_into(self, silent: CallArrival, moment: int) -> OpenCall | CallUpdate | None:
        """Return the call if it is to be closed, or the mark that leaves it to the folder, or None."""
        if self._not_before.get(silent, 0) > moment:
            return None
        try:
            documents = (await self._store.read([silent.call]))[silent.call]
            if not documents:
                return None  # deleted since it was looked up
            call = open_call(await self._decoded(documents))
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("idle_call_unreadable", call=silent.call)
            call = None
        if call is None:
            # It has ended, or cannot be read: the folder finds out which.
            self._not_before[silent] = moment + _AGAIN_MS
            return CallUpdate(silent.call, silent.partition, silent.last_arrival, stale=True)
        due = call.due(silent.last_arrival, self._policies.of(call.organization_id)) + self._policies.slack_ms
        if due < moment:
            return call
        self._not_before[silent] = due
        return None

    async def _decoded(self, documents: Sequence[LogDocument]) -> list[Event]:
        events: list[Event] = []
        self._budget -= _CALL_BYTES
        for document in documents:
            for number, raw in enumerate(document.events):
                if number % _DECODED_AT_ONCE == 0:
                    await asyncio.sleep(0)  # the batches go first
                self._budget -= len(raw)
                event = decode_logged(raw, document.redacted_at)
                if isinstance(event, Event):
                    events.append(event)
        return events
