"""What a look at Kafka returns of what it has read so far, without a broker."""

import pytest

from shared.kafka.access import KafkaAccess
from shared.kafka.brokers import Brokers, Layout
from shared.lag.kafka.look import Look, Memory
from shared.lag.models import PartitionReading

CALLS, TALK = ("calls.telephony", 0), ("calls.transcription", 0)
TOPICS = [CALLS[0], TALK[0]]
READ = PartitionReading(end=4, committed=4, position=4, oldest=None)
DENIED, UNKNOWN_TOPIC = 29, 3


def look(layout: Layout | None, *read: tuple[str, int]) -> Look:
    brokers = Brokers(KafkaAccess("127.0.0.1:1"), TOPICS)
    brokers.layout = layout
    return Look(brokers, Memory(brokers), TOPICS, "callfold", partitions=dict.fromkeys(read, READ))


def test_a_reading_of_all_partitions_is_whole() -> None:
    found = look(Layout(leaders={CALLS: 1, TALK: 1}), CALLS, TALK).reading(at=0.0)

    assert (found.whole, found.missing_topics) == (True, [])


@pytest.mark.parametrize(
    ("layout", "missing"),
    [
        (None, []),
        (Layout(leaders={CALLS: 1, TALK: None}), []),
        (Layout(leaders={CALLS: 1}, errors={TALK[0]: DENIED}), []),
        (Layout(leaders={CALLS: 1}, errors={TALK[0]: UNKNOWN_TOPIC}), [TALK[0]]),
    ],
    ids=["no broker", "no leader", "a topic that may not be seen", "no topic"],
)
def test_a_reading_without_a_partition_is_not_whole(layout: Layout | None, missing: list[str]) -> None:
    found = look(layout, CALLS).reading(at=0.0)

    assert (found.whole, found.missing_topics) == (False, missing)
