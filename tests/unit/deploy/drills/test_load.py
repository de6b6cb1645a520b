"""What a drill publishes: ordinary calls that the contract accepts, a provider with one key, and no events."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from deploy.drills.load.calls import Provider, invalid
from deploy.drills.load.orders import Orders
from shared.contract.decode_event import Event, InvalidEvent, decode
from shared.contract.topics import Topics
from shared.kafka.partitioner import partition_of
from shared.kafka.producer import OutgoingRecord

NOW = datetime(2024, 5, 17, 12, tzinfo=UTC)
ARRIVAL = round(NOW.timestamp() * 1000)


def published(provider: Provider, number: int = 2_000) -> list[OutgoingRecord]:
    return provider.records(number, NOW)


def kind_of(record: OutgoingRecord) -> str:
    event = decode(record.value, arrival=ARRIVAL)
    assert isinstance(event, Event)
    return event.type


@pytest.mark.parametrize("key", [None, b"gateway"])
def test_every_event_of_a_provider_is_valid_and_without_problems(key: bytes | None) -> None:
    records = published(Provider(Topics(), "call", at_once=20, key=key))

    decoded = [decode(record.value, arrival=ARRIVAL) for record in records]

    assert [event for event in decoded if isinstance(event, InvalidEvent) or event.problems] == []


def test_calls_begin_and_end_while_others_are_under_way() -> None:
    records = published(Provider(Topics(), "call", at_once=20))

    kinds = Counter(kind_of(record) for record in records)

    assert 0 < kinds["call.created"] - kinds["call.ended"] <= 20
    assert kinds["call.ended"] > 20
    assert {record.topic for record in records} == set(Topics().inputs)


def test_records_of_a_provider_with_a_key_are_in_one_partition_and_those_of_calls_are_in_all() -> None:
    one, all_calls = Provider(Topics(), "speech", 20, key=b"gateway"), Provider(Topics(), "call", 20)

    assert {(record.topic, record.key) for record in published(one)} == {(Topics().transcription, b"gateway")}
    keys = {record.key or b"" for record in published(all_calls)}
    assert {partition_of(key.decode(), 6) for key in keys} == set(range(6))


def test_no_invalid_record_is_an_event() -> None:
    records = invalid(Topics(), 20)

    decoded = [decode(record.value, arrival=ARRIVAL) for record in records]

    assert all(isinstance(event, InvalidEvent) for event in decoded)
    assert len(decoded) == 20


def test_orders_arrive_as_they_were_given() -> None:
    orders = Orders(steady=10, one_key=20, invalid=30, burst=40)

    assert Orders.parse(orders.line()) == orders
