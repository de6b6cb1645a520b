"""Batches that are too large or cannot be read: those around them are read, and what is passed over is named."""

import struct
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder

from services.worker.consumer.batches import bounded_reading
from services.worker.consumer.batches.bounded_reading import FetchResult, PartitionRecords
from services.worker.consumer.batches.decompression import UnreadableBatch
from services.worker.consumer.batches.record_batches import HEADER_BYTES, FetchedBatches, batch_of
from services.worker.ingest.unread_records import UnreadRecords
from shared.contract.rejection import Reason
from tests.support.events.record_batches import CODECS, COMPRESS, CREATED, batch, bomb, compressed, record, varint

MB = 1024**2
TP = TopicPartition("calls.telephony", 3)
CRC_AT = 17


def reading(*batches: bytes, offset: int = 0, megabytes: int = 2) -> PartitionRecords:
    raw = b"".join(batches)
    return PartitionRecords(TP, FetchedBatches(raw, megabytes * MB), None, offset, None, None, True, READ_COMMITTED)


def read(*batches: bytes, offset: int = 0) -> list[Any]:
    """Return what is read of a partition from an offset on: aiokafka fetches again behind what is passed over."""
    found: list[Any] = []
    bases = [struct.unpack_from(">q", each)[0] for each in batches]
    while True:
        following = [each for each, base in zip(batches, [*bases[1:], 2**62], strict=True) if base > offset]
        part = reading(*following, offset=offset)
        found += part
        if part.next_fetch_offset == offset or len(following) < 2:
            return found
        offset = part.next_fetch_offset


def short(record: Any) -> Any:
    if isinstance(record, UnreadRecords):
        return record.first_offset, record.offset, record.why.reason
    return record.value


def too_large(first: int, last: int) -> tuple[int, int, Reason]:
    return first, last, Reason.BATCH_TOO_LARGE


def unreadable(first: int, last: int) -> tuple[int, int, Reason]:
    return first, last, Reason.UNREADABLE_BATCH


@pytest.mark.parametrize("codec", COMPRESS)
def test_compressed_batches_are_read_with_all_that_they_hold(codec: str) -> None:
    headers = [(b"ce_id", b"1"), (b"ce_type", b"")]
    payload = COMPRESS[codec](record(0, b"a", b"key", headers) + record(1, b"b"))

    first, second, third = reading(batch(payload, 2, codec=codec, base=5), batch(record(0), 1, base=7), offset=5)

    assert (first.topic, first.partition, first.offset, first.timestamp) == (*TP, 5, CREATED)
    assert (first.key, first.value) == (b"key", b"a")
    assert first.headers == (("ce_id", b"1"), ("ce_type", b""))
    assert [(each.offset, each.value) for each in (second, third)] == [(6, b"b"), (7, b"{}")]


@pytest.mark.parametrize("codec", ["gzip", "zstd", "lz4", "snappy", "xerial"])
def test_a_batch_over_the_limit_is_passed_over_by_its_offsets(codec: str) -> None:
    large = compressed(codec, [b" " * MB] * 3, base=1)

    found = read(batch(record(0, b"before"), 1), large, batch(record(0, b"behind"), 1, base=4))

    assert [short(each) for each in found] == [b"before", too_large(1, 3), b"behind"]


@pytest.mark.parametrize("codec", COMPRESS)
def test_a_batch_at_the_limit_is_read(codec: str) -> None:
    fits = record(0, b" " * MB)
    fits += record(1, b" " * (2 * MB - len(fits) - len(record(1)) - 4))

    found = list(reading(batch(COMPRESS[codec](fits), 2, codec=codec)))

    assert 2 * MB - 8 < len(fits) <= 2 * MB
    assert [each.offset for each in found] == [0, 1]


def with_many_headers() -> bytes:
    return record(0, b"", b"k", [(b"", b"")] * 700_000)


NO_UTF8 = record(0, b"a", headers=[(b"\xff", b"")])
ENDLESS = varint(30) + b"\0\0\0" + varint(2**62) + bytes(20)
UNREADABLE = {
    "more records than there are": (batch(COMPRESS["gzip"](record(0)), 2, codec="gzip"), [b"{}", unreadable(1, 1)]),
    "more records, uncompressed": (batch(record(0), 2), [b"{}", unreadable(1, 1)]),
    "fewer records": (batch(record(0) + record(1), 1), [b"{}", unreadable(1, 1)]),
    "less than no record": (batch(COMPRESS["gzip"](record(0)), -1, codec="gzip", last_delta=0), [unreadable(0, 0)]),
    "a longer record": (batch(COMPRESS["zstd"](varint(999) + record(0)[1:]), 1, codec="zstd"), [unreadable(0, 0)]),
    "an endless key": (batch(ENDLESS, 1), [unreadable(0, 0)]),
    "no compressed data": (batch(b"no data", 3, codec="zstd"), [unreadable(0, 2)]),
    "too many records": (batch(COMPRESS["lz4"](b"\0" * 2**15), 2**15 + 1, codec="lz4"), [too_large(0, 2**15)]),
    "more records, one of a name that is no UTF-8": (batch(NO_UTF8, 9, last_delta=1), [b"a", unreadable(1, 1)]),
    "an endless key behind a name that is no UTF-8": (batch(NO_UTF8 + ENDLESS, 2), [b"a", unreadable(1, 1)]),
    "too many headers": (batch(COMPRESS["gzip"](with_many_headers()), 1, codec="gzip"), [too_large(0, 0)]),
}


@pytest.mark.parametrize(("bad", "expected"), list(UNREADABLE.values()), ids=list(UNREADABLE))
def test_behind_a_batch_that_lies_everything_is_read(bad: bytes, expected: list[Any]) -> None:
    last = max(each[1] for each in expected if isinstance(each, tuple))

    found = read(bad, batch(record(0, b"behind"), 1, base=max(last + 1, 1)))

    assert [short(each) for each in found] == [*expected, b"behind"]


def test_a_batch_over_the_limit_is_decompressed_once() -> None:
    raw = bytearray(bomb("gzip", 3))
    over = batch_of(memoryview(raw), 2 * MB)
    with pytest.raises(UnreadableBatch, match="more than 2 MB"):
        over.decompressed()
    raw[HEADER_BYTES:] = bytes(len(raw) - HEADER_BYTES)  # would now be no gzip

    with pytest.raises(UnreadableBatch, match="more than 2 MB"):
        iter(over)


def test_what_was_delivered_of_a_batch_is_not_passed_over() -> None:
    large = compressed("gzip", [b" " * MB] * 3, base=10)

    (unread,) = reading(large, offset=12)

    assert short(unread) == too_large(12, 12)
    assert unread.timestamp == CREATED
    assert unread.size == len(large)
    assert unread.why.detail.startswith("the batch of offset 12 cannot be read: it has more than 2 MB when it is")


def damaged(whole: bytes) -> bytes:
    return whole[:-1] + bytes((whole[-1] ^ 1,))


def test_a_batch_that_was_damaged_on_its_way_is_fetched_again() -> None:
    whole = compressed("gzip", [b"first", b"second"])

    tries = [list(reading(damaged(whole))), list(reading(whole))]

    assert [[each.value for each in found] for found in tries] == [[], [b"first", b"second"]]


def test_a_batch_that_is_damaged_at_each_fetch_is_passed_over() -> None:
    bad = damaged(batch(record(0) + record(1), 2, base=40))

    fetches = [reading(bad, offset=40) for _ in range(5)]
    found = [[short(each) for each in fetch] for fetch in fetches]

    assert found == [[], [], [], [], [unreadable(40, 41)]]
    assert [fetch.next_fetch_offset for fetch in fetches] == [40, 40, 40, 40, 42]


def test_of_a_damaged_header_no_offset_is_believed_that_would_skip_what_follows() -> None:
    bad = damaged(batch(record(0), 1, base=70, last_delta=2**30))

    (unread,) = [each for _ in range(5) for each in reading(bad, offset=70)]

    assert short(unread) == unreadable(70, 70)


def test_header_names_that_are_no_utf8_are_read_in_a_compressed_batch() -> None:
    payload = record(0, b"a") + record(1, b"b", headers=[(b"\xff", b"1")]) + record(2, b"c")

    found = list(reading(batch(COMPRESS["zstd"](payload), 3, codec="zstd"), batch(record(0, b"d"), 1, base=3)))

    assert [each.value for each in found] == [b"a", b"b", b"c", b"d"]
    assert found[1].headers == (("\\xff", b"1"),)


def legacy(magic: int, codec: str, values: list[bytes], base: int) -> bytes:
    """Return a compressed message set as a broker keeps it, the first message of which has the offset `base`."""
    builder = LegacyRecordBatchBuilder(magic, CODECS[codec], 2**30)
    for number, value in enumerate(values):
        builder.append(number if magic else base + number, timestamp=CREATED, key=b"k", value=value)
    whole = bytearray(builder.build())
    struct.pack_into(">q", whole, 0, base + len(values) - 1)
    return bytes(whole)


@pytest.mark.parametrize(("magic", "codec"), [(0, "gzip"), (0, "snappy"), (1, "gzip"), (1, "snappy"), (1, "lz4")])
def test_a_legacy_message_set_is_read_and_one_over_the_limit_is_passed_over(magic: int, codec: str) -> None:
    sets = [
        legacy(magic, codec, [b"a", b"b"], 10),
        legacy(magic, codec, [b" " * MB] * 3, 12),
        legacy(magic, codec, [b""] * 50_000, 15),
    ]

    assert [(each.offset, each.value) for each in reading(sets[0], offset=10)] == [(10, b"a"), (11, b"b")]
    assert [short(each) for each in reading(sets[1], offset=12)] == [too_large(12, 14)]
    assert [short(each) for each in reading(sets[2], offset=15)] == [too_large(15, 50_014)]


def test_a_legacy_message_set_within_another_is_passed_over() -> None:
    inner = legacy(1, "gzip", [b"a"], 0)

    (unread,) = reading(legacy_around(inner))

    assert short(unread) == unreadable(0, 0)
    assert "within a compressed one" in unread.why.detail


def legacy_around(inner: bytes) -> bytes:
    value = COMPRESS["gzip"](inner)
    checked = struct.pack(">bbqii", 1, 1, CREATED, -1, len(value)) + value
    return struct.pack(">qiI", 0, len(checked) + 4, crc32(checked)) + checked


# How much is delivered at once


class Fetch:
    """A fetch of one partition, delivered as aiokafka does it."""

    def __init__(self, *batches: bytes, megabytes: int = 64) -> None:
        self.position = 0
        self.paused = False
        assignment = SimpleNamespace(active=True, state_value=lambda _: self)
        self.result = FetchResult(
            TP, assignment=assignment, partition_records=reading(*batches, megabytes=megabytes), backoff=0
        )

    def consumed_to(self, position: int) -> None:
        self.position = position


async def delivered(*fetches: Fetch, most_bytes: int = MB) -> list[list[Any]]:
    """Return what one delivery has of each fetch."""

    async def deliver() -> list[list[Any]]:
        return [fetch.result.getall() for fetch in fetches]

    fetcher = SimpleNamespace(fetched_records=deliver)
    bounded_reading.bound(fetcher, most_bytes)
    found: list[list[Any]] = await fetcher.fetched_records()
    return found


async def test_a_delivery_is_bounded_and_the_next_one_goes_on() -> None:
    values = [b"%d" % number * 1000 for number in range(2_000)]
    first, second = Fetch(compressed("zstd", values)), Fetch(compressed("zstd", values))

    found: list[list[Any]] = [[], []]
    rounds = 0
    while first.result.has_more() or second.result.has_more():
        some = await delivered(*(each for each in (first, second) if each.result.has_more()))
        assert sum(len(each.value) for part in some for each in part) < 1.1 * MB
        for part in some:
            found[len(found[0]) >= len(values)] += part
        rounds += 1

    assert [[each.value for each in part] for part in found] == [values, values]
    assert first.position == second.position == len(values)
    assert rounds > 10


async def test_many_small_records_count_as_the_objects_that_they_become() -> None:
    fetch = Fetch(compressed("gzip", [b"{}"] * 10_000))

    ((*found,),) = await delivered(fetch)

    assert 1_000 < len(found) < 2_000
    assert fetch.result.has_more()


async def test_a_record_that_is_too_large_to_be_kept_is_delivered_without_its_bytes() -> None:
    large, small = record(0, b" " * (17 * MB)), record(1, b"{}")
    fetch = Fetch(batch(COMPRESS["zstd"](large + small), 2, codec="zstd"))

    (first,), (second,) = [*await delivered(fetch), *await delivered(fetch)]

    assert short(first) == (0, 0, Reason.TOO_LARGE)
    assert (first.value, first.size) == (None, 17 * MB)
    assert second.value == b"{}"


async def test_behind_a_batch_that_is_passed_over_the_other_partitions_have_their_turn() -> None:
    bad, other = Fetch(bomb("gzip", 3), megabytes=2), Fetch(batch(record(0, b"other"), 1))

    first, second = await delivered(bad, other), await delivered(bad, other)

    assert [[short(each) for each in part] for part in first] == [[too_large(0, 2)], []]
    assert [[short(each) for each in part] for part in second] == [[], [b"other"]]
    assert not bad.result.has_more()
    assert bad.position == 3


async def test_without_a_bound_everything_is_delivered() -> None:
    fetch = Fetch(compressed("gzip", [b"{}"] * 5_000))

    assert len(fetch.result.getall()) == 5_000
