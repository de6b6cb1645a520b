"""The write of one batch: the order of its steps, crashes between them, and retries."""

import asyncio
from collections.abc import Sequence

import pytest

from services.worker.folding.schedule import FoldSchedule
from services.worker.ingest.write_batch import BatchWriter
from services.worker.memory import MemoryPublisher
from services.worker.metrics import WORKER
from services.worker.runtime.retry import RetryAborted
from shared.contract.decode_event import Event, decode_logged
from shared.kafka.errors import KafkaUnavailable
from shared.kafka.producer import OutgoingRecord
from shared.store.memory.calls import MemoryStore
from shared.store.ports import StoreUnavailable
from shared.store.states import State
from tests.support.events.makers import event
from tests.support.eventually import scaled
from tests.support.store.makers import CALL, LOG_ID_HMAC_KEY, body_of, state_of
from tests.support.worker.memory_worker import (
    AT_THE_END,
    DEAD_LETTER,
    PARTITIONS,
    TRANSCRIPTION,
    MemoryWorker,
    Received,
    folded,
    received,
    turns_before,
    watched,
)

CREATED, STARTED, ENDED = event("call.created"), event("call.started"), event("call.ended")
SAID = event("transcript.turn", content="my secret")
OPT_OUT = event("call.updated", opt_out_sensitive_data_storage=True)


class Crash(BaseException):
    """The process ends here."""


# The order


@pytest.mark.parametrize(("events", "turns"), [(2_000, 0), (4_001, 4)])
async def test_a_large_batch_is_decoded_and_packed_in_slices_between_which_others_have_their_turn(
    events: int, turns: int
) -> None:
    records = [received(event("call.note", call=f"call-{number // 2}"), offset=number) for number in range(events)]

    turns_by_insert = await turns_before("insert", lambda store: MemoryWorker(store=store).bring(records))

    assert turns_by_insert == [turns]


async def test_a_batch_is_inserted_before_states_are_read_and_marked_stale_after_it() -> None:
    steps: list[str] = []

    async def keep(step: str) -> None:
        steps.append(step)

    await MemoryWorker(store=watched(MemoryStore(), before=keep)).deliver(CREATED, ENDED)

    assert steps == ["insert", "read_states", "mark_stale"]


async def test_dead_letters_are_delivered_before_anything_is_stored() -> None:
    delivered_by_then: list[int] = []

    async def keep(_: str) -> None:
        delivered_by_then.append(len(worker.dead_letters.published))

    worker = MemoryWorker(store=watched(MemoryStore(), before=keep))
    await worker.bring([received(CREATED), Received(b"{", offset=1)])

    assert delivered_by_then == [1, 1, 1]


async def test_a_batch_of_dead_letters_alone_sends_no_request_to_the_store() -> None:
    async def refuse(step: str) -> None:
        raise AssertionError(step)

    worker = MemoryWorker(store=watched(MemoryStore(), before=refuse))
    await worker.bring([Received(b"{", key=b"k"), Received(b"[]", offset=1), Received(None, offset=2)])

    assert [(each.key, each.value) for each in worker.dead_letters.published] == [(b"k", b"{"), (None, b"[]")]


async def test_a_call_that_is_first_seen_is_live_and_one_that_ends_is_stale() -> None:
    worker = MemoryWorker()
    await worker.deliver(CREATED)
    first = await state_of(worker.memory)

    await worker.deliver(ENDED)

    assert (first, await state_of(worker.memory)) == (State.LIVE, State.STALE)


async def test_calls_that_are_marked_stale_or_stale_already_are_scheduled() -> None:
    worker, another = MemoryWorker(), FoldSchedule()
    await worker.deliver(CREATED)
    await worker.deliver(ENDED)
    late = BatchWriter(
        worker.memory,
        worker.dead_letters,
        another,
        dead_letter_topic=DEAD_LETTER,
        partitions=lambda: PARTITIONS,
        log_id_hmac_key=LOG_ID_HMAC_KEY,
    )

    await late.write([received(SAID, topic=TRANSCRIPTION)])

    for schedule in (worker.schedule, another):
        assert [each.call for each in schedule.pop_due(dict.fromkeys(range(PARTITIONS), AT_THE_END), 0, 9)] == [CALL]


async def test_events_and_dead_letters_are_counted() -> None:
    counters = ["callfold_mis_keyed_events_total", "callfold_batches_written_total"]
    before = [WORKER.registry.get_sample_value(name) or 0 for name in counters]

    batch = await MemoryWorker().bring([received(CREATED), received(ENDED, offset=1, key=None)])

    assert batch.events == 2
    assert [WORKER.registry.get_sample_value(name) for name in counters] == [each + 1 for each in before]


# Crashes: what was not acknowledged is delivered again, cut as it comes


@pytest.mark.parametrize("again", [2, 3])
@pytest.mark.parametrize("point", ["insert", "read_states", "mark_stale", "redact"])
@pytest.mark.parametrize("folded_meanwhile", [False, True])
async def test_after_a_crash_at_any_step_and_another_delivery_the_record_is_right(
    point: str, again: int, folded_meanwhile: bool
) -> None:
    events = [STARTED, SAID, ENDED]
    records = [received(each, offset=number) for number, each in enumerate([OPT_OUT, *events])]
    survivor = MemoryWorker()
    await survivor.bring(records[:1])  # so that the batch has something to redact

    async def crash(step: str) -> None:
        if step == point:
            raise Crash

    dying = MemoryWorker(memory=survivor.memory, store=watched(survivor.memory, after=crash))
    with pytest.raises(Crash):
        await dying.bring(records[1:])
    if folded_meanwhile:
        await survivor.rest()
    await survivor.bring(records[1 : 1 + again])
    await survivor.bring(records[1 + again :])
    await survivor.rest()

    assert body_of(await survivor.found()) == folded(OPT_OUT, *events)
    assert await state_of(survivor.memory) is State.FINAL
    assert b"secret" not in survivor.log()


@pytest.mark.parametrize("point", ["insert", "read_states", "mark_stale"])
async def test_a_late_event_whose_batch_crashed_is_in_the_record_after_another_delivery(point: str) -> None:
    survivor = MemoryWorker()
    await survivor.deliver(STARTED, ENDED)
    await survivor.rest()
    late = received(SAID, topic=TRANSCRIPTION)

    async def crash(step: str) -> None:
        if step == point:
            raise Crash

    with pytest.raises(Crash):
        await MemoryWorker(store=watched(survivor.memory, after=crash)).bring([late])
    await survivor.bring([late])
    await survivor.rest()

    assert body_of(await survivor.found()) == folded(STARTED, ENDED, SAID)


# Opting out


async def test_content_after_the_opt_out_is_redacted_before_the_batch_is_written() -> None:
    worker = MemoryWorker()
    await worker.deliver(OPT_OUT)

    await worker.deliver(SAID)

    assert b"secret" not in worker.log()
    (redacted,) = [each for each in worker.memory.log.values() if each.redacted_at]
    assert isinstance(decode_logged(redacted.events[0], redacted.redacted_at), Event)


async def test_content_before_the_opt_out_is_redacted_by_the_fold() -> None:
    worker = MemoryWorker()
    await worker.deliver(SAID)
    await worker.deliver(OPT_OUT)
    by_then = worker.log()

    await worker.rest()

    assert b"secret" in by_then
    assert b"secret" not in worker.log()
    assert (await worker.found()).opted_out


# Retries


async def test_each_step_is_retried_until_the_store_is_available() -> None:
    failures = {"insert": 1, "read_states": 2, "mark_stale": 1}
    steps: list[str] = []

    async def fail(step: str) -> None:
        steps.append(step)
        if failures.get(step):
            failures[step] -= 1
            raise StoreUnavailable(step)

    worker = MemoryWorker(store=watched(memory := MemoryStore(), before=fail))
    await worker.deliver(CREATED, ENDED)

    assert steps == ["insert"] * 2 + ["read_states"] * 3 + ["mark_stale"] * 2
    assert await state_of(memory) is State.STALE


class Unavailable(MemoryPublisher):
    """Accepts records at the second attempt only."""

    attempts = 0

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        self.attempts += 1
        if self.attempts == 1:
            raise KafkaUnavailable("away")
        await super().publish(records)


async def test_dead_letters_are_retried_until_kafka_is_available() -> None:
    letters = Unavailable()
    flush = BatchWriter(
        MemoryStore(),
        letters,
        FoldSchedule(),
        dead_letter_topic=DEAD_LETTER,
        partitions=lambda: PARTITIONS,
        log_id_hmac_key=LOG_ID_HMAC_KEY,
    )

    await flush.write([Received(b"{")])

    assert (letters.attempts, len(letters.published)) == (2, 1)


async def test_retries_are_aborted_when_they_should_stop() -> None:
    async def fail(step: str) -> None:
        raise StoreUnavailable(step)

    store, letters = watched(MemoryStore(), before=fail), MemoryPublisher()
    flush = BatchWriter(
        store,
        letters,
        FoldSchedule(),
        dead_letter_topic=DEAD_LETTER,
        partitions=lambda: PARTITIONS,
        log_id_hmac_key=LOG_ID_HMAC_KEY,
        should_stop=lambda: True,
    )

    with pytest.raises(RetryAborted):
        await flush.write([received(CREATED)])


async def test_an_internal_error_is_not_retried() -> None:
    async def fail(_: str) -> None:
        raise RuntimeError("internal")

    worker = MemoryWorker(store=watched(MemoryStore(), before=fail))

    async with asyncio.timeout(scaled(30)):
        with pytest.raises(RuntimeError):
            await worker.deliver(CREATED)


# Deleted calls


@pytest.fixture
async def deleted() -> MemoryWorker:
    """Return a worker whose store had a call and deleted it."""
    worker = MemoryWorker()
    await worker.deliver(STARTED, ENDED)
    await worker.rest()
    await worker.memory.tombstone([CALL], 2**62)
    await worker.memory.delete_log([CALL])
    return worker


async def test_late_events_of_a_deleted_call_change_nothing_and_are_counted(deleted: MemoryWorker) -> None:
    late = [{"type": kind, "outcome": "late"} for kind in ("transcript.turn", "call.ended")]
    before = [WORKER.registry.get_sample_value("callfold_events_total", labels) or 0 for labels in late]

    await deleted.deliver(SAID, ENDED)
    await deleted.rest()

    assert await state_of(deleted.memory) is State.DELETED
    assert deleted.memory.log == {}
    assert len(deleted.schedule) == 0
    assert [WORKER.registry.get_sample_value("callfold_events_total", labels) for labels in late] == [
        n + 1 for n in before
    ]


@pytest.mark.parametrize("point", ["insert", "read_states", "mark_stale"])
async def test_what_a_batch_left_of_a_deleted_call_is_deleted_with_the_next_however_that_is_cut(
    deleted: MemoryWorker, point: str
) -> None:
    records = [received(each, offset=9 + number) for number, each in enumerate([SAID, ENDED])]

    async def crash(step: str) -> None:
        if step == point:
            raise Crash

    with pytest.raises(Crash):
        await MemoryWorker(store=watched(deleted.memory, after=crash)).bring(records)
    await deleted.bring(records[:1])

    assert deleted.memory.log == {}
    assert await state_of(deleted.memory) is State.DELETED


async def test_a_call_that_is_deleted_between_read_and_update_stays_deleted() -> None:
    worker = MemoryWorker()
    await worker.deliver(STARTED, ENDED)
    await worker.rest()

    async def tombstone(step: str) -> None:
        if step == "read_states":
            await worker.memory.tombstone([CALL], 2**62)

    await MemoryWorker(store=watched(worker.memory, after=tombstone)).deliver(SAID)

    assert await state_of(worker.memory) is State.DELETED
    assert worker.memory.log == {}


async def test_a_call_whose_tombstone_expires_between_read_and_update_is_a_new_call(deleted: MemoryWorker) -> None:
    async def expire_tombstones(step: str) -> None:
        if step == "read_states":
            await deleted.memory.mark_purged([CALL])
            await deleted.memory.expire_tombstones([CALL], 2**62)

    await MemoryWorker(store=watched(deleted.memory, after=expire_tombstones)).deliver(STARTED)
    await deleted.rest()

    assert body_of(await deleted.found()) == folded(STARTED)
