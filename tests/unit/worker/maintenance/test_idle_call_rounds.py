"""The rounds of the idle-call timeout: calls that it cannot end, how much it reads, and outages."""

from collections import Counter
from collections.abc import Collection, Sequence

import pytest

from services.worker.maintenance.idle_calls import Round
from services.worker.memory import MemoryPublisher
from services.worker.metrics import WORKER
from shared.kafka.errors import KafkaUnavailable
from shared.kafka.producer import OutgoingRecord
from shared.store.ids import documents
from shared.store.memory.calls import MemoryStore
from shared.store.models import CallUpdate, LogDocument, SourcePartition
from shared.store.ports import StoreUnavailable
from shared.store.states import State
from tests.support.events.makers import STARTED, Json, event, raw
from tests.support.store.makers import CALL, LOG_ID_HMAC_KEY, body_of, logged, state_of
from tests.support.worker.fold_cases import BEGUN
from tests.support.worker.idle_calls import HOUR, IdleCalls, ended
from tests.support.worker.memory_worker import TELEPHONY, folded

SCHEDULED = event("call.scheduled")

# Calls without an inferred end


async def put(idle: IdleCalls, *bodies: Json, call: str = CALL) -> None:
    """Put events into the log of a call that is live in the store."""
    events = logged(map(raw, bodies))
    await idle.worker.memory.insert(list(documents(call, SourcePartition(TELEPHONY, 0), events, LOG_ID_HMAC_KEY)))
    await idle.worker.memory.mark_stale([CallUpdate(call, 0, STARTED, stale=False)])


async def test_a_call_that_has_ended_but_is_live_in_the_store_is_marked_stale() -> None:
    idle = IdleCalls()
    bodies = [BEGUN, event("call.ended", at=STARTED + 9_000)]
    await put(idle, *bodies)

    done = await idle.end_idle_calls(after=3 * HOUR)
    await idle.worker.rest()

    found = await idle.worker.found()
    assert (done, idle.inferred_ends.published) == (Round(marked=1), [])
    assert (found.state, body_of(found)) == (State.FINAL, folded(*bodies))


async def test_a_call_without_a_log_is_not_touched() -> None:
    idle = IdleCalls()
    await idle.worker.memory.mark_stale([CallUpdate(CALL, 0, STARTED, stale=False)])

    assert await idle.end_idle_calls(after=3 * HOUR) == Round()
    assert await state_of(idle.worker.memory) is State.LIVE


class Torn(MemoryStore):
    """Cannot read the logs of some calls; records which were read."""

    unreadable: Collection[str] = ()
    trouble: Exception = TypeError("what is this?")

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def read(self, calls: Collection[str]) -> dict[str, list[LogDocument]]:
        self.asked += calls
        if not set(self.unreadable).isdisjoint(calls):
            raise self.trouble
        return await super().read(calls)


async def test_a_call_whose_log_cannot_be_read_is_marked_stale_and_the_others_are_ended() -> None:
    memory = Torn()
    idle = IdleCalls(memory=memory)
    await idle.receive(BEGUN, event("call.started", call="call-1"))
    memory.unreadable = {CALL}

    first = await idle.end_idle_calls(after=3 * HOUR)
    await idle.fold_ends()

    assert first == Round(Counter(ONGOING=1), marked=1)
    assert await state_of(memory) is State.BROKEN
    assert await idle.end_idle_calls(after=3 * HOUR) == Round()


async def test_a_call_that_is_live_after_its_fold_is_not_marked_stale_again_within_the_hour() -> None:
    memory = Torn()
    idle = IdleCalls(memory=memory)
    await idle.receive(BEGUN)
    rounds = []

    for after in (3 * HOUR, HOUR / 2, HOUR):
        memory.unreadable = {CALL}
        rounds.append(await idle.end_idle_calls(after=after))
        memory.unreadable = ()
        await idle.worker.rest()

    assert rounds == [Round(marked=1), Round(), Round(marked=1)]
    assert await state_of(memory) is State.LIVE


async def test_calls_that_are_not_due_are_not_read_again_at_every_round() -> None:
    memory = Torn()
    idle = IdleCalls(memory=memory)
    await idle.receive(SCHEDULED, event("call.created", call="call-1"))

    rounds = [await idle.end_idle_calls(after=3 * HOUR) for _ in range(7)]

    assert rounds == [Round()] * 7
    assert sorted(memory.asked) == [f"org-789/{call}" for call in ("call-1", "call-456")]
    assert await idle.end_idle_calls(after=4 * HOUR) == ended(SCHEDULED=1, REGISTERED=1)


async def test_a_round_reads_up_to_its_budget_and_the_next_continues_there() -> None:
    idle = IdleCalls()
    long = [event("call.note", call="call-000", event="x" * 1024 * 1024)] * 65
    await put(idle, event("call.started", call="call-000"), *long, call="org-789/call-000")
    for number in range(1, 150):
        call = f"call-{number:03}"
        await put(idle, event("call.started", call=call), call=f"org-789/{call}")
    await idle.end_idle_calls()
    idle.clock.move(3 * HOUR)

    rounds = [await idle.timeout.step() for _ in range(4)]

    assert rounds == [Round(), ended(ONGOING=100), ended(ONGOING=50), ended(ONGOING=100)]


# Outages


async def test_a_store_that_does_not_answer_is_raised_and_the_next_round_ends_the_call() -> None:
    memory = Torn()
    idle = IdleCalls(memory=memory)
    await idle.receive(BEGUN)
    memory.unreadable, memory.trouble = {CALL}, StoreUnavailable("away")

    with pytest.raises(StoreUnavailable):
        await idle.end_idle_calls(after=3 * HOUR)
    memory.unreadable = ()

    assert await idle.timeout.step() == ended(ONGOING=1)


class Unavailable(MemoryPublisher):
    """Accepts records, and then fails once."""

    failures = 1

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        await super().publish(records)
        if self.failures:
            self.failures -= 1
            raise KafkaUnavailable("away")


async def test_ends_that_may_not_be_delivered_are_published_again() -> None:
    idle = IdleCalls(inferred_ends=Unavailable())
    before = WORKER.registry.get_sample_value("callfold_idle_calls_ended_total", {"status": "ONGOING"}) or 0
    await idle.receive(BEGUN)

    with pytest.raises(KafkaUnavailable):
        await idle.end_idle_calls(after=3 * HOUR)
    again = await idle.timeout.step()

    ends = idle.inferred_ends.published
    assert (again, ends) == (ended(ONGOING=1), ends[:1] * 2)
    assert WORKER.registry.get_sample_value("callfold_idle_calls_ended_total", {"status": "ONGOING"}) == before + 1
