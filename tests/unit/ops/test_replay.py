"""What is sent back, as what, and what is not."""

import pytest
from aiokafka import TopicPartition

from services.ops.dead_letters.dead_letter import letter_of
from services.ops.dead_letters.ingested import identity, logged
from services.ops.dead_letters.replayable import obstacle, sent_back
from services.ops.dead_letters.scan import Places
from shared.contract.dead_letter_headers import OMITTED, REPLAYED_FROM, REPLAYS
from shared.contract.topics import Topics
from shared.kafka.producer import OutgoingRecord
from shared.store.memory.calls import MemoryStore
from tests.support.events.dead_letters import SAID, Record
from tests.support.events.makers import Json, decoded, event, raw
from tests.support.store.makers import document

NOTHING_SAID = tuple((name, value) for name, value in SAID if name != "topic")


def said(**headers: bytes) -> tuple[tuple[str, bytes], ...]:
    return (*SAID, *headers.items())


def test_a_record_goes_back_as_it_came_and_says_that_it_does() -> None:
    headers = (("ce_id", b"1"), ("content-type", b"application/json"), ("ce_subject", None), *SAID)
    record = Record(key=None, value=b"\xff", headers=headers, partition=2, offset=17)

    assert sent_back(record, letter_of(record, alone=False)) == OutgoingRecord(
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
def test_each_time_is_counted_and_the_last_place_is_told(before: bytes, after: bytes) -> None:
    record = Record(headers=((REPLAYS, before), (REPLAYED_FROM, b"0:3"), *SAID))

    sent = sent_back(record, letter_of(record, alone=True))

    assert sent.headers == ((REPLAYS, after), (REPLAYED_FROM, b"0:17"))


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (Record(), None),
        (Record(value=None), None),
        (Record(key=None), None),
        (Record(headers=NOTHING_SAID), "does not say"),
        (Record(headers=said(topic=b"payroll")), "neither calls.telephony nor calls.transcription"),
        (Record(headers=said(topic=b"calls.dead-letter")), "neither"),
        (Record(headers=said(topic=b"calls.telephony\x00")), "neither"),
        (Record(value=None, headers=said(reason=b"too_large")), "without its value"),
        (Record(value=None, headers=((OMITTED, b"5"), *SAID)), "without its value"),
        (Record(key=None, value=None), "neither a key nor a value"),
    ],
)
def test_nothing_goes_anywhere_but_to_the_topics_of_events(record: Record, why: str | None) -> None:
    found = obstacle(record, letter_of(record, alone=True), Topics("calls"))

    assert (found is None) if why is None else (found is not None and why in found)


def test_places_are_those_that_were_taken_in() -> None:
    places = Places({TopicPartition("t", 0): (100, 117), TopicPartition("t", 2): (0, 0)})

    for place in ("0:100", "0:116", "0:99", "0:100000", "1:105", "2:0"):
        places.add(place)

    assert [offset for offset in range(90, 140) if (0, offset) in places] == [100, 116]
    assert (1, 105) not in places


async def test_an_event_is_known_by_its_call_source_and_id() -> None:
    there = event("call.note", id="1")
    others: list[Json] = [
        event("call.note", id="2"),
        event("call.note", id="1", source="/other"),
        event("call.note", id="1", call="call-457"),
        event("call.note", id="1", organization="org-1"),
    ]
    store = MemoryStore()
    await store.insert([document(content=raw(there))])
    changed, *rest = decoded([there | {"data": {"event": "said otherwise"}}, *others])

    assert await logged(store, [changed, *rest]) == {identity(changed)}


async def test_a_log_that_holds_what_is_no_event_any_more_is_read() -> None:
    store = MemoryStore()
    await store.insert([document(content=b"{}")])

    assert await logged(store, decoded([event("call.note")])) == set()
