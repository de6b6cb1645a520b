"""The redaction sweep: documents of opted-out calls that a batch left unredacted when it ended."""

import pytest

from services.worker.maintenance.redaction_sweep import RedactionSweep
from services.worker.metrics import WORKER
from shared.store.memory.calls import MemoryStore
from shared.store.models import LogDocument
from shared.store.ports import Store, StoreUnavailable
from shared.store.states import State
from tests.support.events.makers import event
from tests.support.store.makers import CALL, body_of, document, state_of
from tests.support.worker.memory_worker import ARRIVED, PARTITIONS, Clock, MemoryWorker, folded, watched

ENDED, SAID = event("call.ended"), event("transcript.turn", content="my secret")
OPT_OUT = event("call.started", opt_out_sensitive_data_storage=True)
AN_HOUR_LATER = ARRIVED + 3_600_000


class Crash(BaseException):
    """The process ends here."""


async def left(*bodies: dict[str, object], call: str = "call-456") -> MemoryStore:
    """Return a store with opted-out calls and these events, from batches that ended after the insert."""
    worker = MemoryWorker()
    flag = {**OPT_OUT, "subject": call}
    await worker.deliver(flag, {**ENDED, "subject": call})
    await worker.rest()
    await leave(worker.memory, *bodies)
    return worker.memory


async def leave(memory: MemoryStore, *bodies: dict[str, object]) -> None:
    async def crash(step: str) -> None:
        if step == "insert":
            raise Crash

    with pytest.raises(Crash):
        await MemoryWorker(store=watched(memory, after=crash)).deliver(*bodies)


def sweep(memory: Store, now: int = AN_HOUR_LATER, page: int = 100) -> RedactionSweep:
    return RedactionSweep(memory, lambda: range(PARTITIONS), clock=Clock(now), page=page)


def raw(memory: MemoryStore) -> list[LogDocument]:
    return [document for document in memory.log.values() if not document.redacted_at]


async def test_unredacted_documents_are_redacted_and_the_record_is_folded_again() -> None:
    memory = await left(SAID)
    before = WORKER.registry.get_sample_value("callfold_sweep_redacted_calls_total") or 0

    await sweep(memory).run()
    worker = MemoryWorker(memory=memory)
    by_then = worker.log()
    await worker.rest()

    assert b"secret" not in by_then
    assert body_of(await worker.found()) == folded(OPT_OUT, ENDED, SAID)
    assert WORKER.registry.get_sample_value("callfold_sweep_redacted_calls_total") == before + 1


async def test_a_redacted_call_is_not_touched() -> None:
    memory = await left(event("call.note", call="another"))

    await sweep(memory).run()

    assert await state_of(memory) is State.FINAL


@pytest.mark.parametrize("now", [ARRIVED + 60_000, ARRIVED + 2 * 86_400_000])
async def test_new_calls_and_calls_older_than_a_day_are_not_checked(now: int) -> None:
    memory = await left(SAID)

    await sweep(memory, now).run()

    assert raw(memory)


async def test_calls_that_did_not_opt_out_are_not_touched() -> None:
    worker = MemoryWorker()
    await worker.deliver(SAID)

    await sweep(worker.memory).run()

    assert b"secret" in worker.log()


async def test_one_page_is_checked_at_a_time_and_all_again_an_hour_later() -> None:
    worker, clock = MemoryWorker(), Clock(AN_HOUR_LATER)
    calls = [f"call-{number}" for number in range(3)]
    for call in calls:
        await worker.deliver({**OPT_OUT, "subject": call}, {**ENDED, "subject": call})
    await worker.rest()
    for call in calls:
        await leave(worker.memory, {**SAID, "subject": call})
    job = RedactionSweep(worker.memory, lambda: range(PARTITIONS), clock=clock, page=2)
    numbers = []

    for _ in range(3):
        await job.run()
        numbers.append(len(raw(worker.memory)))
    await leave(worker.memory, {**event("call.note"), "subject": calls[0]})
    await job.run()
    numbers.append(len(raw(worker.memory)))
    clock.move(3_600)
    await job.run()

    assert (numbers, raw(worker.memory)) == ([1, 0, 0, 1], [])


async def test_a_log_that_cannot_be_redacted_does_not_block_the_others() -> None:
    memory = await left(SAID)
    worker = MemoryWorker(memory=memory)
    await worker.deliver({**OPT_OUT, "subject": "call-1"}, {**ENDED, "subject": "call-1"})
    await worker.rest()
    await memory.insert([document("org-789/call-1", content=b"{}")])
    failures = ["redact"]

    async def fail(step: str) -> None:
        if step in failures:
            failures.remove(step)
            raise ValueError

    await sweep(watched(memory, before=fail)).run()

    assert len(raw(memory)) == 1


async def test_what_is_no_json_is_emptied() -> None:
    memory = await left(SAID)
    await memory.insert([document(CALL, content=b"{")])

    await sweep(memory).run()

    assert raw(memory) == []


async def test_a_store_that_does_not_answer_is_asked_for_the_same_page_again() -> None:
    memory, failures = await left(SAID), ["opted_out_calls", "redact"]

    async def fail(step: str) -> None:
        if step in failures:
            failures.remove(step)
            raise StoreUnavailable

    job = sweep(watched(memory, before=fail))
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await job.run()
    await job.run()

    assert await memory.unredacted([CALL]) == set()
