"""What is noticed of partitions that change: counts that differ, and clocks that are not the broker's."""

import pytest
import structlog

from services.worker import metrics
from services.worker.consumer.fetch import Chunk
from services.worker.consumer.watch.partition_counts import PartitionCounts
from services.worker.folding.schedule import BACKLOG_MS
from tests.support.worker.memory_worker import TELEPHONY, TRANSCRIPTION, Received
from tests.support.worker.unstarted_consumer import TP0

READ_AT = 1_800_000_000_000
YEAR_MS = 365 * 86_400_000


def arrival(timestamp: int, timestamp_type: int) -> int:
    record = Received(b"{}", timestamp=timestamp, timestamp_type=timestamp_type)
    return Chunk(TP0, [record], 1, READ_AT).arrival


def test_a_record_arrived_when_the_broker_says_so() -> None:
    assert arrival(READ_AT - YEAR_MS, 1) == READ_AT - YEAR_MS


@pytest.mark.parametrize("ahead", [0, 500, YEAR_MS])
def test_a_record_with_a_producers_time_arrived_when_it_was_read(ahead: int) -> None:
    assert arrival(READ_AT + ahead, 0) == READ_AT


def test_a_producers_time_in_the_past_counts_as_a_backlog() -> None:
    assert arrival(READ_AT - YEAR_MS, 0) == READ_AT - BACKLOG_MS - 1


def test_partitions_are_counted_as_they_are_now_and_a_change_is_logged() -> None:
    counts = {TELEPHONY: 3, TRANSCRIPTION: 3}
    partitions = PartitionCounts(list(counts), 3, lambda topic: counts[topic])
    partitions.fewest()

    with structlog.testing.capture_logs() as logged:
        counts[TELEPHONY] = 6
        while_they_differ = partitions.fewest()
        counts[TRANSCRIPTION] = 6
        afterwards = partitions.fewest()
        partitions.fewest()

    assert (while_they_differ, afterwards) == (3, 6)
    assert [each["event"] for each in logged] == ["partitions_changed", "partitions_differ", "partitions_changed"]
    assert metrics.INPUT_PARTITIONS.labels(TELEPHONY)._value.get() == 6  # noqa: SLF001 - there is no other way


def test_a_topic_that_is_unknown_for_a_while_changes_nothing() -> None:
    counts = {TELEPHONY: 3, TRANSCRIPTION: 3}
    partitions = PartitionCounts(list(counts), 3, lambda topic: counts[topic])

    counts[TELEPHONY] = 0

    assert partitions.fewest() == 3
