"""The arithmetic of lag, without a broker."""

import pytest
from aiokafka import TopicPartition

from services.ops.lag import Offsets, PartitionLag, TotalLag, Unread, partition_lag, total

PART = TopicPartition("calls.telephony", 1)
NOW = 1_703_097_600.0


def lag(*, end: int = 10, committed: int | None = 4, first: int = 4, timestamp: int | None = None) -> PartitionLag:
    return partition_lag(PART, Offsets(0, end, committed), Unread(first, timestamp), NOW)


def test_it_counts_from_the_first_uncommitted_record_to_the_end() -> None:
    assert lag(timestamp=1_703_097_598_500) == PartitionLag("calls.telephony", 1, 10, 4, 6, 1.5)


def test_markers_before_the_first_uncommitted_record_do_not_count() -> None:
    assert lag(first=9).lag == 1


def test_without_lag_the_age_is_zero() -> None:
    assert (lag(first=10).lag, lag(first=10).lag_seconds) == (0, 0.0)


def test_the_age_is_unknown_where_the_record_cannot_be_read() -> None:
    assert lag(timestamp=None).lag_seconds is None


def test_a_record_of_the_future_has_the_age_zero() -> None:
    assert lag(timestamp=1_703_097_601_000).lag_seconds == 0.0


def test_a_topic_that_was_created_again_has_no_negative_lag() -> None:
    assert lag(end=2, committed=100, first=100).lag == 0


@pytest.mark.parametrize(
    ("earliest", "committed", "position"), [(0, 4, 4), (6, 4, 6), (6, None, 6)], ids=["kept", "deleted", "new group"]
)
def test_the_group_continues_at_its_offset_or_at_the_earliest_record(
    earliest: int, committed: int | None, position: int
) -> None:
    assert Offsets(earliest, 10, committed).position == position


def test_the_total_is_the_sum_of_the_lags_and_the_greatest_age() -> None:
    parts = [lag(timestamp=1_703_097_598_000), lag(first=10), lag(timestamp=None)]

    assert total(parts) == TotalLag(12, 2.0)
