"""How long a topic can hold a record, by its configs."""

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
def test_a_record_is_deleted_with_its_segment_or_never(differs: dict[str, str], held: int | None) -> None:
    assert held_ms(USUAL | differs) == held


def test_a_topic_without_these_configs_holds_its_records_for_ever() -> None:
    assert held_ms({}) is None


def test_a_tombstone_is_kept_as_long_as_a_record_and_its_dead_letter_can_exist() -> None:
    assert tombstone_ttl_ms([3 * DAY, 8 * DAY], 20 * DAY) == 29 * DAY


@pytest.mark.parametrize(("inputs", "dead_letters"), [([None, DAY], DAY), ([DAY, None], DAY), ([DAY, DAY], None)])
def test_a_tombstone_is_kept_for_ever_if_one_topic_has_no_limit(
    inputs: list[int | None], dead_letters: int | None
) -> None:
    assert tombstone_ttl_ms(inputs, dead_letters) is None
