"""Which dead letters are replayed, and as which records."""

import pytest
from aiokafka import TopicPartition

from shared.contract.dead_letter_headers import OMITTED, REPLAYED_FROM, REPLAYS
from shared.contract.topics import Topics
from shared.dead_letters.dead_letter import dead_letter_of
from shared.dead_letters.ingested import already_ingested, identity
from shared.dead_letters.replayable import replayed, why_not_replayable
from shared.dead_letters.scan import OffsetSet
from shared.kafka.producer import OutgoingRecord
from shared.store.memory.calls import MemoryStore
from tests.support.events.dead_letters import SAID, Record
from tests.support.events.makers import Json, decoded, event, raw
from tests.support.store.makers import document

NO_TOPIC = tuple((name, value) for name, value in SAID if name != "topic")


def headers_with(**headers: bytes) -> tuple[tuple[str, bytes], ...]:
    return (*SAID, *headers.items())


def test_a_record_is_replayed_as_it_was_with_headers_that_mark_it() -> None:
    headers = (("ce_id", b"1"), ("content-type", b"application/json"), ("ce_subject", None), *SAID)
    record = Record(key=None, value=b"\xff", headers=headers, partition=2, offset=17)

    assert replayed(dead_letter_of(record, only_partition=False)) == OutgoingRecord(
        topic="calls.telephony",
        key=None,
        value=b"\xff",
        headers=(
            ("ce_id", b"1"),
            ("content-type", b"application/json"),
            (REPLAYS, b"1"),
            (REPLAYED_FROM, b"2:17"),
        ),
    )


@pytest.mark.parametrize(("before", "after"), [(b"1", b"2"), (b"9999", b"9999")])
def test_replays_are_counted_and_the_last_one_is_named(before: bytes, after: bytes) -> None:
    record = Record(headers=((REPLAYS, before), (REPLAYED_FROM, b"0:3"), *SAID))

    sent = replayed(dead_letter_of(record, only_partition=True))

    assert sent.headers == ((REPLAYS, after), (REPLAYED_FROM, b"0:17"))


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (Record(), None),
        (Record(value=None), None),
        (Record(key=None), None),
        (Record(headers=NO_TOPIC), "does not name"),
        (Record(headers=headers_with(topic=b"payroll")), "neither calls.telephony nor calls.transcription"),
        (Record(headers=headers_with(topic=b"calls.dead-letter")), "neither"),
        (Record(headers=headers_with(topic=b"calls.telephony\x00")), "neither"),
        (Record(value=None, headers=headers_with(reason=b"too_large")), "too large to be kept"),
        (Record(value=None, headers=((OMITTED, b"5"), *SAID)), "too large to be kept"),
        (Record(key=None, value=None), "neither a key nor a value"),
        (Record(key=b"", value=None, headers=headers_with(reason=b"batch_too_large")), "its batch was not read"),
        (Record(key=b"", value=None, headers=headers_with(reason=b"unreadable_batch")), "its batch was not read"),
    ],
)
def test_records_are_replayed_to_the_topics_for_events_alone(record: Record, why: str | None) -> None:
    found = why_not_replayable(dead_letter_of(record, only_partition=True), Topics("calls"))

    assert (found is None) if why is None else (found is not None and why in found)


def test_a_set_of_offsets_holds_what_was_added_within_its_ranges() -> None:
    offsets = OffsetSet({TopicPartition("t", 0): (100, 117), TopicPartition("t", 2): (0, 0)})

    for name in ("0:100", "0:116", "0:99", "0:100000", "1:105", "2:0"):
        offsets.add(name)

    assert [offset for offset in range(90, 140) if (0, offset) in offsets] == [100, 116]
    assert (1, 105) not in offsets


async def test_an_event_is_identified_by_its_call_source_and_id() -> None:
    ingested = event("call.note", id="1")
    others: list[Json] = [
        event("call.note", id="2"),
        event("call.note", id="1", source="/other"),
        event("call.note", id="1", call="call-457"),
        event("call.note", id="1", organization="org-1"),
    ]
    store = MemoryStore()
    await store.insert([document(content=raw(ingested))])
    changed, *rest = decoded([ingested | {"data": {"event": "said otherwise"}}, *others])

    assert await already_ingested(store, [changed, *rest]) == {identity(changed)}


async def test_invalid_events_in_the_log_are_ignored() -> None:
    store = MemoryStore()
    await store.insert([document(content=b"{}")])

    assert await already_ingested(store, decoded([event("call.note")])) == set()
