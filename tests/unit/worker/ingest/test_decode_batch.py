"""Decoding a batch: events by call and source partition, and invalid records."""

import threading
from typing import Any

import confluent_kafka
import pytest
from aiokafka.partitioner import DefaultPartitioner

from services.worker.ingest.dead_letters import dead_letter
from services.worker.ingest.decode_batch import Batch, CallBatch, decode_batch
from services.worker.ingest.unread_records import UnreadRecords
from shared.contract.decode_event import Event, InvalidEvent, decode_logged
from shared.contract.ids import call_of
from shared.contract.rejection import Reason
from shared.contract.strict.vouching import AS_SENT
from shared.kafka.partitioner import partition_of
from shared.store.models import SourcePartition
from tests.support.events.makers import STARTED, Json, event, raw
from tests.support.store.makers import CALL, LOG_ID_HMAC_KEY
from tests.support.worker.memory_worker import ARRIVED, PARTITIONS, TELEPHONY, TRANSCRIPTION, Received, received

NOW = ARRIVED + 1_000
KEYS = ["call-456", "21", "foobar", "ä", "電話", "c" * 256, *(f"call-{number}" for number in range(40))]


def batch(*records: Received) -> Batch:
    return decode_batch(records, PARTITIONS, NOW)


def logged(call: CallBatch) -> list[Event]:
    """Return the events of a call as they are read from the log."""
    raws = [raw for document in call.documents(LOG_ID_HMAC_KEY) for raw in document.events]
    return [event for event in map(decode_logged, raws) if isinstance(event, Event)]


# Calls and source partitions


def test_a_batch_that_is_decoded_in_slices_is_the_batch_that_is_decoded_at_once() -> None:
    records = [
        received(event(kind, call=f"call-{number % 2}"), offset=number, partition=number % 3)
        for number, kind in enumerate(["call.created", "transcript.turn", "call.note", "call.ended"] * 2)
    ]
    records[3:3] = [Received(b"{"), Received(None)]

    in_slices = batch(*records[:4])
    decode_batch(records[4:], PARTITIONS, NOW, in_slices)

    assert in_slices == batch(*records)
    assert [*in_slices.calls] == [*batch(*records).calls]


def test_events_are_grouped_by_their_call() -> None:
    mine, others, again = event("call.created"), event("call.created", call="call-1"), event("call.ended")

    read = batch(received(mine), received(others, offset=1), received(again, offset=2))

    assert {key: call.events for key, call in read.calls.items()} == {CALL: 2, "org-789/call-1": 1}
    assert read.rejected == []


def test_the_same_call_id_of_another_organization_is_another_call() -> None:
    read = batch(received(event("call.created")), received(event("call.created", organization="org-1"), offset=1))

    assert set(read.calls) == {CALL, "org-1/call-456"}


def test_a_source_partition_is_a_topic_and_a_partition_and_keeps_offsets_and_bytes() -> None:
    one, two, three = event("call.created"), event("call.started"), event("transcript.turn")

    read = batch(
        received(one, offset=5, partition=3),
        received(two, offset=9, partition=3),
        received(three, offset=5, partition=3, topic=TRANSCRIPTION),
    )

    assert read.calls[CALL].sources == {
        SourcePartition(TELEPHONY, 3): [(5, raw(one), AS_SENT), (9, raw(two), AS_SENT)],
        SourcePartition(TRANSCRIPTION, 3): [(5, raw(three), AS_SENT)],
    }
    assert read.events == 3


def test_each_source_partition_becomes_a_document_of_the_log() -> None:
    one, two = event("call.created"), event("transcript.turn")

    call = batch(received(one, partition=3), received(two, partition=3, topic=TRANSCRIPTION)).calls[CALL]

    assert [document.events for document in call.documents(LOG_ID_HMAC_KEY)] == [(raw(one),), (raw(two),)]
    assert {call_of(document.id) for document in call.documents(LOG_ID_HMAC_KEY)} == {CALL}


def test_an_event_in_binary_mode_is_kept_in_structured_mode() -> None:
    body = event("call.ended", id="1", sequence="7")

    structured, binary = batch(received(body)), batch(received(body, in_binary_mode=True))

    documents = [list(read.calls[CALL].documents(LOG_ID_HMAC_KEY)) for read in (structured, binary)]
    assert [len(each) for each in documents] == [1, 1]
    assert binary.calls[CALL].ends
    assert decode_batch([Received(documents[1][0].events[0])], PARTITIONS, NOW).rejected == []


@pytest.mark.parametrize(
    ("body", "ends", "opts_out"),
    [
        (event("call.created"), False, False),
        (event("call.ended"), True, False),
        (event("call.failed"), True, False),
        (event("call.updated", opt_out_sensitive_data_storage=True), False, True),
        (event("provider.own", opt_out_sensitive_data_storage=True), False, True),
        (event("call.updated", opt_out_sensitive_data_storage=False), False, False),
    ],
)
def test_a_batch_knows_whether_it_ends_or_opts_out_a_call(body: Json, ends: bool, opts_out: bool) -> None:
    call = batch(received(event("call.note")), received(body, offset=1), received(event("call.note"), offset=2)).calls

    assert (call[CALL].ends, call[CALL].opts_out) == (ends, opts_out)


# Rejects


def test_invalid_records_are_rejected_and_the_rest_is_not() -> None:
    bad, reasonless = Received(b"{", offset=1), received(event("call.ended", disconnection_reason=None), offset=2)

    read = batch(received(event("call.created")), bad, reasonless, received(event("call.started"), offset=3))

    assert read.calls[CALL].events == 2
    assert [(rejected.record.offset, rejected.why.reason) for rejected in read.rejected] == [
        (1, Reason.NOT_JSON),
        (2, Reason.MISSING),
    ]
    assert read.events == 2


def test_an_empty_value_is_rejected() -> None:
    read = batch(Received(b""))

    assert [rejected.why.reason for rejected in read.rejected] == [Reason.NOT_JSON]


def test_a_record_without_a_value_is_skipped_and_counted() -> None:
    read = batch(Received(None), received(event("call.created"), offset=1))

    assert (read.tombstones, read.rejected, read.calls[CALL].events) == (1, [], 1)


def test_a_refused_event_that_opts_out_is_rejected_and_its_opt_out_is_logged() -> None:
    refused = event("call.ended", disconnection_reason=None, opt_out_sensitive_data_storage=True)

    read = batch(received(refused, offset=7))

    call = read.calls[CALL]
    (found,) = logged(call)
    assert [rejected.record.offset for rejected in read.rejected] == [7]
    assert call.opts_out
    assert (found.type, found.opts_out, found.time) == ("call.updated", True, STARTED)


@pytest.mark.parametrize("timestamp", [-1, 0, NOW + 1])
def test_an_event_without_a_time_is_taken_at_the_workers_clock_if_its_record_has_none(timestamp: int) -> None:
    untimed = Received(raw(event("call.note") | {"time": "yesterday"}), timestamp=timestamp)

    (found,) = logged(batch(untimed).calls[CALL])

    assert found.time == NOW


def test_an_event_whose_clock_is_ahead_is_taken_at_its_arrival() -> None:
    ahead = Received(raw(event("call.note", at=NOW)), timestamp=NOW - 3_600_001)

    (found,) = logged(batch(ahead).calls[CALL])

    assert found.time == NOW - 3_600_001


def test_a_dead_letter_is_the_record_byte_for_byte_with_its_reason_and_origin() -> None:
    headers = [("content-type", b"application/json"), ("ce_id", b"1"), ("cookie", b"secret"), ("ce_type", None)]
    refused = batch(Received(b"{", key=b"k", partition=3, offset=7, headers=headers)).rejected[0]

    made = dead_letter(refused, "calls.dead-letter", "2023-12-20T18:40:30.000Z")

    assert (made.key, made.value) == (b"k", b"{")
    assert dict(made.headers) == {
        "content-type": b"application/json",
        "ce_id": b"1",
        "reason": b"not_json",
        "detail": refused.why.detail.encode(),
        "topic": TELEPHONY.encode(),
        "partition": b"3",
        "offset": b"7",
        "time": b"2023-12-20T18:40:30.000Z",
    }


def test_a_dead_letter_without_key_and_value_gets_an_empty_key() -> None:
    refused = batch(Received(None, headers=[("ce_id", b"1")])).rejected[0]

    made = dead_letter(refused, "calls.dead-letter", "2023-12-20T18:40:30.000Z")

    assert (made.key, made.value) == (b"", None)  # aiokafka refuses to send neither


def test_a_dead_letter_keeps_the_headers_of_a_replay() -> None:
    marks = [("callfold-replays", b"2"), ("callfold-replayed-from", b"0:17")]
    refused = batch(Received(b"{", headers=marks)).rejected[0]

    made = dead_letter(refused, "calls.dead-letter", "2023-12-20T18:40:30.000Z")

    assert list(made.headers[:2]) == marks


@pytest.mark.parametrize(
    "header",
    [
        ("callfold-replays", b"0"),
        ("callfold-replays", b"12345"),
        ("callfold-replays", "²".encode()),
        ("callfold-replays", None),
        ("callfold-replayed-from", b"17"),
        ("callfold-replayed-from", b"0:+49 123"),
        ("callfold-omitted-bytes", b"1"),
    ],
)
def test_a_dead_letter_keeps_no_headers_that_only_resemble_those_of_a_replay(header: tuple[str, bytes | None]) -> None:
    refused = batch(Received(b"{", headers=[header])).rejected[0]

    made = dead_letter(refused, "calls.dead-letter", "2023-12-20T18:40:30.000Z")

    assert header[0] not in dict(made.headers)


# Keys and partitions


def test_an_event_with_its_key_on_its_partition_is_not_mis_keyed() -> None:
    read = batch(received(event("call.created")), received(event("transcript.turn"), topic=TRANSCRIPTION))

    assert read.calls[CALL].mis_keyed == 0


@pytest.mark.parametrize("differs", [{"key": b"another"}, {"key": None}, {"partition": 1}])
def test_a_mis_keyed_event_is_counted_and_kept(differs: dict[str, Any]) -> None:
    assert partition_of("call-456", PARTITIONS) != 1

    call = batch(received(event("call.created"), **differs), received(event("call.started"), offset=1)).calls[CALL]

    assert (call.mis_keyed, call.events) == (1, 2)
    assert call.partition == partition_of("call-456", PARTITIONS)


@pytest.mark.parametrize(
    ("key", "hashed"),  # those of Kafka's own tests of its Java client
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_a_call_belongs_to_the_partition_that_javas_partitioner_chooses(key: str, hashed: int) -> None:
    assert partition_of(key, 2**31 - 1) == (hashed & 0x7FFFFFFF) % (2**31 - 1)
    assert partition_of(key, 12) == (hashed & 0x7FFFFFFF) % 12


@pytest.mark.parametrize("key", KEYS)
def test_a_call_belongs_to_the_partition_that_aiokafkas_partitioner_chooses(key: str) -> None:
    partitions = list(range(PARTITIONS))

    assert partition_of(key, PARTITIONS) == DefaultPartitioner()(key.encode(), partitions, partitions)


def test_a_call_belongs_to_the_partition_that_librdkafkas_murmur2_chooses() -> None:
    chosen: dict[str, int] = {}
    lock = threading.Lock()

    def keep(error: object, message: confluent_kafka.Message) -> None:
        assert error is None
        with lock:
            chosen[(message.key() or b"").decode()] = message.partition() or 0

    # librdkafka carries a broker for tests; its topics have four partitions.
    producer = confluent_kafka.Producer(
        {"test.mock.num.brokers": 1, "partitioner": "murmur2_random", "on_delivery": keep, "log_level": 0}
    )
    for key in KEYS:
        producer.produce("t", key=key.encode(), value=b"")
    producer.flush(20)

    assert chosen == {key: partition_of(key, 4) for key in KEYS}


# When it arrived


@pytest.mark.parametrize(
    ("timestamps", "arrived"),
    [
        ([ARRIVED], ARRIVED),
        ([ARRIVED, ARRIVED - 5_000], ARRIVED),
        ([NOW + 3_600_000], NOW),  # a producer's clock ahead of ours
        ([ARRIVED, NOW + 3_600_000], NOW),
        ([-1], NOW),  # Kafka's value for no timestamp
    ],
)
def test_the_last_arrival_is_the_latest_but_never_in_the_future(timestamps: list[int], arrived: int) -> None:
    records = [received(event("call.note"), offset=number, timestamp=at) for number, at in enumerate(timestamps)]

    assert batch(*records).calls[CALL].last_arrival == arrived


@pytest.mark.parametrize("timestamp", [NOW - 365 * 86_400_000, NOW, NOW + 365 * 86_400_000])
def test_by_a_producers_clock_the_last_arrival_is_now(timestamp: int) -> None:
    record = received(event("call.started"), timestamp=timestamp, timestamp_type=0)

    assert batch(record).calls[CALL].last_arrival == NOW


# Records that were not read


def test_records_that_were_not_read_are_rejected_and_their_dead_letter_has_their_offsets() -> None:
    why = InvalidEvent(Reason.BATCH_TOO_LARGE, "it is too large")
    unread = UnreadRecords(TELEPHONY, 2, first_offset=7, offset=9, timestamp=ARRIVED, why=why, size=500)

    decoded = decode_batch([received(event("call.created")), unread], PARTITIONS, NOW)
    letter = dead_letter(decoded.rejected[0], "calls.dead-letter", "2026-11-22T10:00:00.000Z")

    assert (len(decoded.calls), len(decoded.rejected), decoded.tombstones) == (1, 1, 0)
    assert (letter.key, letter.value) == (b"", None)
    assert dict(letter.headers) == {
        "reason": b"batch_too_large",
        "detail": b"it is too large",
        "topic": TELEPHONY.encode(),
        "partition": b"2",
        "offset": b"7",
        "last_offset": b"9",
        "callfold-omitted-bytes": b"500",
        "time": b"2026-11-22T10:00:00.000Z",
    }
