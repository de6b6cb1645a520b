"""The arithmetic of lag, without a broker."""

import pytest
from aiokafka import TopicPartition

from services.ops.lag import Offsets, PartitionLag, TotalLag, partition_lag, total

PART = TopicPartition("calls.telephony", 1)
NOW = 1_703_097_600.0


def lag(*, earliest: int = 0, end: int = 10, committed: int | None = 4, oldest: int | None = None) -> PartitionLag:
    return partition_lag(PART, Offsets(earliest, end, committed, oldest), NOW)


def test_it_counts_from_what_was_committed_to_the_end() -> None:
    assert lag(oldest=1_703_097_598_500) == PartitionLag("calls.telephony", 1, 10, 4, 6, 1.5)


def test_where_nothing_was_committed_it_counts_from_the_earliest() -> None:
    assert lag(earliest=3, committed=None).lag == 7


def test_without_lag_nothing_is_old() -> None:
    assert (lag(committed=10).lag, lag(committed=10).lag_seconds) == (0, 0.0)


def test_the_age_is_not_known_where_the_record_cannot_be_had() -> None:
    assert lag(oldest=None).lag_seconds is None


def test_a_record_of_the_future_is_not_older_than_now() -> None:
    assert lag(oldest=1_703_097_601_000).lag_seconds == 0.0


def test_a_topic_that_was_made_anew_does_not_lag_by_less_than_nothing() -> None:
    assert lag(end=2, committed=100).lag == 0


@pytest.mark.parametrize(("earliest", "committed", "first"), [(0, 4, 4), (6, 4, 6), (6, None, 6)])
def test_the_oldest_is_looked_for_where_records_are_left(earliest: int, committed: int | None, first: int) -> None:
    assert Offsets(earliest, 10, committed).next == first


def test_the_total_adds_up_records_and_takes_the_greatest_age() -> None:
    parts = [lag(oldest=1_703_097_598_000), lag(committed=10), lag(oldest=None)]

    assert total(parts) == TotalLag(12, 2.0)
