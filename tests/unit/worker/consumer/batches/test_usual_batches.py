"""The usual batch becomes records at once, and every way to read a batch gives the same records."""

import gc
import weakref
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED
from hypothesis import given
from hypothesis import strategies as st

from services.worker.consumer.batches.bounded_reading import FetchResult, PartitionRecords
from services.worker.consumer.batches.fetched_record import FetchedRecord
from services.worker.consumer.batches.record_batches import FetchedBatches
from services.worker.ingest.decode_batch import KafkaRecord
from tests.support.events.record_batches import COMPRESS, CONTROL, CREATED, TRANSACTIONAL, batch, compressed, record

MB = 1024**2
TP = TopicPartition("calls.telephony", 3)
PRODUCER = 7
VALUES = [b"a", b"b"]
TWO = record(0, b"a") + record(1, b"b")
TWO_BATCHES = batch(TWO, 2) + batch(TWO, 2, base=2)


def fetched(*batches: bytes, offset: int = 0, aborted: int | None = None) -> PartitionRecords:
    """Return a fetch from an offset on, in which a transaction of `PRODUCER` from `aborted` on is aborted."""
    transactions = None if aborted is None else [(PRODUCER, aborted)]
    batches_ = FetchedBatches(b"".join(batches), 2 * MB)
    return PartitionRecords(TP, batches_, transactions, offset, None, None, True, READ_COMMITTED)


def parts(fetch: PartitionRecords, room: int = MB) -> list[list[Any]]:
    """Return the values of the records, as they are taken together."""
    taken = []
    while records := fetch.take(room)[0]:
        taken.append([getattr(each, "value", None) for each in records])
    return taken


@pytest.mark.parametrize("codec", ["", *COMPRESS])
def test_a_usual_batch_is_read_at_once_into_light_records(codec: str) -> None:
    payload = COMPRESS[codec](TWO) if codec else TWO
    fetch = fetched(batch(payload, 2, codec=codec, base=5, producer=PRODUCER), offset=5)

    records, size = fetch.take(MB)

    assert [type(each) for each in records] == [FetchedRecord] * 2
    assert records[0] == (*TP, 5, CREATED, 0, b"k", b"a", ())
    assert fetch.next_fetch_offset == 7
    assert 1_200 < size < 1_400
    assert fetch.take(MB) == ((), 0)


def test_a_light_record_is_what_a_batch_is_decoded_from() -> None:
    ((each,), _) = fetched(batch(record(0, headers=[(b"ce_id", b"1")]), 1)).take(MB)

    decodable: KafkaRecord = each

    assert decodable.headers == (("ce_id", b"1"),)


UNUSUAL = {
    "transactional": batch(TWO, 2, attributes=TRANSACTIONAL, producer=PRODUCER),
    "with a header whose name is no UTF-8": batch(record(0, b"a", headers=[(b"\xff", b"")]) + record(1, b"b"), 2),
    "larger than a megabyte": batch(TWO + record(2, b" " * MB), 3),
}


@pytest.mark.parametrize("unusual", list(UNUSUAL.values()), ids=list(UNUSUAL))
def test_any_other_batch_is_read_record_by_record_and_the_next_at_once(unusual: bytes) -> None:
    taken = parts(fetched(unusual, batch(TWO, 2, base=3)), room=4 * MB)

    assert [each for each in taken if each != [b" " * MB]] == [[b"a"], [b"b"], VALUES]


def test_a_batch_that_was_begun_is_read_record_by_record() -> None:
    assert parts(fetched(batch(TWO + record(2, b"c"), 3), offset=1)) == [[b"b"], [b"c"]]


@pytest.mark.parametrize("headers", [[], [(b"", b"")] * 100], ids=["many records", "many headers"])
def test_a_batch_for_which_a_fetch_has_no_room_left_is_read_record_by_record(
    headers: list[tuple[bytes, bytes]],
) -> None:
    large = batch(record(0, b"a", headers=headers) + record(1, b"b", headers=headers), 2)

    assert parts(fetched(large), room=1_300 if headers else 1_200) == [[b"a"], [b"b"]]


def test_control_batches_and_aborted_transactions_are_no_records() -> None:
    abort = batch(
        record(0, b"\0" * 6, key=b"\0\0\0\0"), 1, base=6, attributes=TRANSACTIONAL | CONTROL, producer=PRODUCER
    )
    fetch = fetched(
        batch(TWO, 2),
        batch(TWO, 2, base=2, attributes=TRANSACTIONAL, producer=PRODUCER),
        batch(TWO, 2, base=4),
        abort,
        batch(TWO, 2, base=7, attributes=TRANSACTIONAL, producer=PRODUCER),
        aborted=2,
    )

    assert parts(fetch) == [VALUES, VALUES, [b"a"], [b"b"]]
    assert fetch.next_fetch_offset == 9


def test_what_was_fetched_is_freed_once_it_is_read() -> None:
    fetch = fetched(batch(TWO, 2))
    gone = weakref.ref(fetch)
    gc.disable()
    try:
        parts(fetch)
        del fetch
        assert gone() is None
    finally:
        gc.enable()


DROPPED = {
    "never read": (TWO_BATCHES, 0),
    "half read": (TWO_BATCHES, 1),
    "read one by one": (UNUSUAL["transactional"], 1),
    "at a batch that is over the limit": (compressed("zstd", [b" " * MB] * 3), 1),
}


@pytest.mark.parametrize(("raw", "reads"), list(DROPPED.values()), ids=list(DROPPED))
@pytest.mark.parametrize("assigned", [True, False], ids=["sought", "revoked"])
def test_what_was_fetched_is_freed_if_it_is_dropped(raw: bytes, reads: int, assigned: bool) -> None:
    fetch = fetched(raw)
    gone = weakref.ref(fetch)
    gc.disable()
    try:
        for _ in range(reads):
            fetch.take(MB)
        assignment = SimpleNamespace(active=False)
        result = FetchResult(TP, assignment=assignment, partition_records=fetch, backoff=0)
        del fetch
        if not assigned:
            assert result.getall() == []
        del result
        assert gone() is None
    finally:
        gc.enable()


BATCHES = st.sampled_from(
    [
        lambda base: batch(TWO, 2, base=base),
        lambda base: batch(b"", 0, base=base, last_delta=1),
        lambda base: compressed("gzip", VALUES, base=base),
        lambda base: compressed("zstd", [b" " * MB] * 3, base=base),
        lambda base: batch(TWO, 3, base=base),
        lambda base: batch(TWO, 1, base=base),
        lambda base: batch(TWO, 2, base=base, attributes=TRANSACTIONAL, producer=PRODUCER),
        lambda base: batch(record(0, headers=[(b"\xff", b"")]), 1, base=base),
    ]
)


@given(st.lists(BATCHES, max_size=6), st.sampled_from([0, 1, 11]), st.sampled_from([1_300, MB]), st.none() | st.just(0))
def test_read_at_once_or_one_by_one_the_records_are_the_same(
    makers: list[Any], offset: int, room: int, aborted: int | None
) -> None:
    batches = [make(10 * place) for place, make in enumerate(makers)]
    at_once, one_by_one = (fetched(*batches, offset=offset, aborted=aborted) for _ in range(2))

    taken: list[Any] = []
    while records := at_once.take(room)[0]:
        taken += records

    assert taken == list(one_by_one)
    assert at_once.next_fetch_offset == one_by_one.next_fetch_offset
