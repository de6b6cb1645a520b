"""For how long a topic can hold a record, by its settings."""

import pytest

from services.worker.maintenance.tombstones import held_ms, tombstone_ttl_ms

DAY = 86_400_000
USUAL = {
    "cleanup.policy": "delete_log",
    "retention.ms": str(7 * DAY),
    "segment.ms": str(DAY),
    "message.timestamp.type": "LogAppendTime",
}


@pytest.mark.parametrize(
    ("differs", "held"),
    [
        ({}, 8 * DAY),
        ({"cleanup.policy": "compact,delete"}, 8 * DAY),
        ({"cleanup.policy": "compact"}, None),
        ({"cleanup.policy": ""}, None),
        ({"retention.ms": "-1"}, None),
        ({"retention.ms": "-1", "retention.bytes": "1000"}, None),
        ({"retention.ms": str(2**63 - 1)}, None),
        ({"message.timestamp.type": "CreateTime"}, None),
        ({"message.timestamp.type": "CreateTime", "message.timestamp.after.max.ms": str(2**63 - 1)}, None),
        ({"message.timestamp.type": "CreateTime", "message.timestamp.after.max.ms": str(DAY)}, 9 * DAY),
    ],
)
def test_a_record_goes_with_its_segment_if_it_goes_at_all(differs: dict[str, str], held: int | None) -> None:
    assert held_ms(USUAL | differs) == held


def test_a_topic_that_says_nothing_is_taken_to_hold_its_records_for_ever() -> None:
    assert held_ms({}) is None


def test_a_call_is_remembered_for_as_long_as_its_last_record_and_that_ones_letter_can_be_there() -> None:
    assert tombstone_ttl_ms([3 * DAY, 8 * DAY], 20 * DAY) == 29 * DAY


@pytest.mark.parametrize(("inputs", "letters"), [([None, DAY], DAY), ([DAY, None], DAY), ([DAY, DAY], None)])
def test_where_one_topic_holds_for_ever_a_call_is_remembered_for_ever(
    inputs: list[int | None], letters: int | None
) -> None:
    assert tombstone_ttl_ms(inputs, letters) is None
