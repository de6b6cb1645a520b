"""The first record of a partition, in the bytes of a fetch: batches of every kind."""

import struct

import pytest

from shared.lag.kafka.batches import Found, Nothing, first_record
from tests.support.events.record_batches import CREATED, batch, compressed, record

_ATTRIBUTES_AT, _GREATEST_TIME_AT, _PRODUCER_AT = 21, 35, 43
APPEND_TIME, TRANSACTIONAL, CONTROL = 8, 16, 32
END = 1_000
WRITTEN = CREATED + 5_000


def made(first: int, count: int = 1, attributes: int = APPEND_TIME, producer: int = -1) -> bytes:
    """Return a batch that the broker wrote at WRITTEN; its records were created earlier."""
    content = bytearray(batch(b"".join(record(delta) for delta in range(count)), count, base=first))
    struct.pack_into(">h", content, _ATTRIBUTES_AT, attributes)
    struct.pack_into(">q", content, _GREATEST_TIME_AT, WRITTEN)
    struct.pack_into(">q", content, _PRODUCER_AT, producer)
    return bytes(content)


def test_a_record_has_the_time_at_which_the_broker_wrote_its_batch() -> None:
    found = first_record(made(10, 5), 10, END, ())

    assert found == Found(10, 10, WRITTEN, 14, broker_clock=True)


def test_a_record_within_a_batch_has_the_time_of_its_batch() -> None:
    found = first_record(made(10, 5), 12, END, ())

    assert found == Found(12, 12, WRITTEN, 14, broker_clock=True)


def test_a_header_alone_is_enough_for_it() -> None:
    found = first_record(made(10, 5)[:61], 12, END, ())

    assert found == Found(12, 12, WRITTEN, 14, broker_clock=True)


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_a_record_with_its_producers_time_is_read_from_within_its_batch(codec: str) -> None:
    found = first_record(compressed(codec, [b"a", b"b", b"c"], base=10), 11, END, ())

    assert found == Found(11, 11, CREATED, 11)


def test_a_batch_that_is_cut_off_before_its_record_is_to_be_read_again() -> None:
    found = first_record(compressed("gzip", [b"a", b"b"], base=10)[:-1], 11, END, ())

    assert found == Nothing(11, 11)


def test_a_batch_that_cannot_be_read_has_a_record_without_a_time() -> None:
    found = first_record(batch(b"no gzip", 3, codec="gzip", base=10), 11, END, ())

    assert found == Found(11, 11, None, 11)


def test_marks_of_transactions_are_no_records() -> None:
    data = made(10, attributes=TRANSACTIONAL | CONTROL, producer=7) + made(11)

    assert first_record(data, 10, END, ()) == Found(11, 11, WRITTEN, 11, broker_clock=True)


def test_aborted_records_are_passed_over_up_to_their_mark_and_no_further() -> None:
    aborted, mark = made(10, 2, TRANSACTIONAL | APPEND_TIME, 7), made(12, 1, TRANSACTIONAL | CONTROL, 7)
    next_of_producer = made(13, 1, TRANSACTIONAL | APPEND_TIME, 7)

    found = first_record(aborted + mark + next_of_producer, 10, END, [(7, 10)])

    assert found == Found(13, 13, WRITTEN, 13, broker_clock=True)


def test_the_records_of_another_producer_are_not_aborted() -> None:
    aborted, other = made(10, 1, TRANSACTIONAL | APPEND_TIME, 7), made(11, 1, TRANSACTIONAL | APPEND_TIME, 8)

    found = first_record(aborted + other, 10, END, [(7, 10)])

    assert found == Found(11, 11, WRITTEN, 11, broker_clock=True)


def test_a_range_that_holds_nothing_to_read_is_passed_over_up_to_where_it_is_known() -> None:
    data = made(10, 5, TRANSACTIONAL | APPEND_TIME, 7)

    assert first_record(data, 10, END, [(7, 10)]) == Nothing(10, 15)
    assert first_record(data, 10, 12, [(7, 10)]) == Nothing(10, 12)


def test_a_record_behind_the_end_is_not_found() -> None:
    assert first_record(made(10, attributes=CONTROL, producer=7) + made(11), 10, 11, ()) == Nothing(10, 11)


def test_a_batch_that_compaction_thinned_is_read() -> None:
    data = batch(record(3), 1, base=10, last_delta=4)

    assert first_record(data, 10, END, ()) == Found(10, 13, CREATED, 13)


@pytest.mark.parametrize("data", [b"", b"\0" * 16, made(10)[:40]])
def test_what_is_too_short_says_nothing(data: bytes) -> None:
    assert first_record(data, 10, END, ()) == Nothing(10, 10)
