"""The closer's rounds: calls that it cannot close, how much it reads, and a world that fails."""

from collections import Counter
from collections.abc import Collection, Sequence

import pytest

from services.worker.maintenance.idle_calls import Round
from services.worker.memory import MemoryPublisher
from shared.kafka.errors import KafkaUnavailable
from shared.kafka.producer import OutgoingRecord
from shared.process.metrics import WORKER
from shared.store.ids import documents
from shared.store.memory.calls import MemoryStore
from shared.store.models import CallUpdate, LogDocument, SourcePartition
from shared.store.ports import StoreUnavailable
from shared.store.states import State
from tests.support.events.makers import STARTED, Json, event, raw
from tests.support.store.makers import CALL, LOG_ID_HMAC_KEY, state_of
from tests.support.worker.fold_cases import BEGUN
from tests.support.worker.idle_calls import HOUR, Desk, ended
from tests.support.worker.memory_worker import TELEPHONY, folded

SCHEDULED = event("call.scheduled")

# What is no case for an inferred end


async def put(desk: Desk, *bodies: Json, call: str = CALL) -> None:
    """Put events into the log of a call that nobody has marked as ended."""
    stretch = [(number, raw(body)) for number, body in enumerate(bodies)]
    await desk.worker.memory.insert(list(documents(call, SourcePartition(TELEPHONY, 0), stretch, LOG_ID_HMAC_KEY)))
    await desk.worker.memory.mark_stale([CallUpdate(call, 0, STARTED, stale=False)])


async def test_a_call_that_has_ended_and_passes_for_live_is_left_to_the_folder() -> None:
    desk = Desk()
    told = [BEGUN, event("call.ended", at=STARTED + 9_000)]
    await put(desk, *told)

    done = await desk.end_idle_calls(after=3 * HOUR)
    await desk.worker.rest()

    found = await desk.worker.found()
    assert (done, desk.inferred_ends.published) == (Round(marked=1), [])
    assert (found.state, found.body) == (State.FINAL, folded(*told))


async def test_a_call_whose_log_is_gone_is_left_as_it_is() -> None:
    desk = Desk()
    await desk.worker.memory.mark_stale([CallUpdate(CALL, 0, STARTED, stale=False)])

    assert await desk.end_idle_calls(after=3 * HOUR) == Round()
    assert await state_of(desk.worker.memory) is State.LIVE


class Torn(MemoryStore):
    """Cannot read the log of some calls; keeps which were asked for."""

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


async def test_a_call_whose_log_cannot_be_read_is_left_to_the_folder_and_the_others_are_closed() -> None:
    memory = Torn()
    desk = Desk(memory=memory)
    await desk.receive(BEGUN, event("call.started", call="call-1"))
    memory.unreadable = {CALL}

    first = await desk.end_idle_calls(after=3 * HOUR)
    await desk.fold_ends()

    assert first == Round(Counter(ONGOING=1), marked=1)
    assert await state_of(memory) is State.BROKEN
    assert await desk.end_idle_calls(after=3 * HOUR) == Round()


async def test_a_call_that_the_folder_finds_to_go_on_after_all_is_not_left_to_it_again_within_the_hour() -> None:
    memory = Torn()
    desk = Desk(memory=memory)
    await desk.receive(BEGUN)
    rounds = []

    for after in (3 * HOUR, HOUR / 2, HOUR):
        memory.unreadable = {CALL}
        rounds.append(await desk.end_idle_calls(after=after))
        memory.unreadable = ()
        await desk.worker.rest()

    assert rounds == [Round(marked=1), Round(), Round(marked=1)]
    assert await state_of(memory) is State.LIVE


async def test_calls_that_are_not_due_are_not_read_again_at_every_round() -> None:
    memory = Torn()
    desk = Desk(memory=memory)
    await desk.receive(SCHEDULED, event("call.created", call="call-1"))

    rounds = [await desk.end_idle_calls(after=3 * HOUR) for _ in range(7)]

    assert rounds == [Round()] * 7
    assert sorted(memory.asked) == [f"org-789/{call}" for call in ("call-1", "call-456")]
    assert await desk.end_idle_calls(after=4 * HOUR) == ended(SCHEDULED=1, REGISTERED=1)


async def test_a_round_reads_so_much_and_the_next_goes_on_behind_it() -> None:
    desk = Desk()
    long = event("call.note", call="call-000", event="x" * 65 * 1024 * 1024)
    await put(desk, event("call.started", call="call-000"), long, call="org-789/call-000")
    for number in range(1, 150):
        call = f"call-{number:03}"
        await put(desk, event("call.started", call=call), call=f"org-789/{call}")
    await desk.end_idle_calls()
    desk.clock.move(3 * HOUR)

    rounds = [await desk.idle_calls.step() for _ in range(4)]

    assert rounds == [Round(), ended(ONGOING=100), ended(ONGOING=50), ended(ONGOING=100)]


# The world


async def test_a_store_that_does_not_answer_is_said_and_the_next_round_does_it() -> None:
    memory = Torn()
    desk = Desk(memory=memory)
    await desk.receive(BEGUN)
    memory.unreadable, memory.trouble = {CALL}, StoreUnavailable("away")

    with pytest.raises(StoreUnavailable):
        await desk.end_idle_calls(after=3 * HOUR)
    memory.unreadable = ()

    assert await desk.idle_calls.step() == ended(ONGOING=1)


class Away(MemoryPublisher):
    """Takes what it is given, and then fails once."""

    failures = 1

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        await super().publish(records)
        if self.failures:
            self.failures -= 1
            raise KafkaUnavailable("away")


async def test_ends_of_which_it_is_not_known_whether_they_are_there_are_published_again() -> None:
    desk = Desk(inferred_ends=Away())
    before = WORKER.get_sample_value("callfold_idle_calls_ended_total", {"status": "ONGOING"}) or 0
    await desk.receive(BEGUN)

    with pytest.raises(KafkaUnavailable):
        await desk.end_idle_calls(after=3 * HOUR)
    again = await desk.idle_calls.step()

    ends = desk.inferred_ends.published
    assert (again, ends) == (ended(ONGOING=1), ends[:1] * 2)
    assert WORKER.get_sample_value("callfold_idle_calls_ended_total", {"status": "ONGOING"}) == before + 1
