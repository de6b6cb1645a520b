"""The times of commits, by partition, through rebalances; and the rebalances themselves."""

from services.worker.consumer.consumer import ChunkConsumer
from services.worker.consumer.last_commits import LastCommits
from services.worker.metrics import WORKER
from services.worker.worker import Worker
from tests.support.worker.unstarted_consumer import TP0, TP1, Broker, deliver


def last_commit(partition: int) -> float | None:
    labels = {"topic": TP0.topic, "partition": str(partition)}
    value: float | None = WORKER.registry.get_sample_value("callfold_last_commit_timestamp_seconds", labels)
    return value


def test_a_partition_has_a_series_while_this_worker_owns_it() -> None:
    commits = LastCommits()

    commits.assigned({TP0})
    first = last_commit(0)
    commits.assigned({TP0, TP1})
    both = (last_commit(0), last_commit(1))
    commits.assigned({TP1})

    assert first is not None
    assert both[0] == first  # it has committed nothing since
    assert both[1] is not None
    assert (last_commit(0), last_commit(1)) == (None, both[1])
    commits.assigned(())


def test_a_commit_that_ends_after_the_rebalance_brings_no_series_back() -> None:
    commits = LastCommits()
    commits.assigned({TP0})
    commits.assigned({TP1})

    commits.committed({TP0: 10})

    assert last_commit(0) is None
    commits.assigned(())


async def test_a_commit_is_recorded_and_a_rebalance_takes_no_series_away(
    consumer: ChunkConsumer, broker: Broker
) -> None:
    consumer.commits.assigned({TP0})
    assigned = last_commit(0) or 0.0
    (chunk,) = await deliver(consumer, broker, (100, 150))
    consumer.acknowledge(chunk)

    await consumer.commit()
    committed = last_commit(0) or 0.0
    await consumer.on_partitions_revoked({TP0})

    assert committed > assigned
    assert (last_commit(0) or 0.0) >= committed
    consumer.commits.assigned(())


def rebalances() -> tuple[float, float]:
    names = ("callfold_rebalances_total", "callfold_rebalance_duration_seconds_count")
    started, ended = (WORKER.registry.get_sample_value(name) or 0.0 for name in names)
    return started, ended


async def test_a_rebalance_that_begins_anew_before_its_end_keeps_the_worker_from_reading_once(
    made: tuple[Worker, Broker],
) -> None:
    app = made[0].app
    before = rebalances()

    app.on_rebalance_start()
    app.on_rebalance_start()
    app.on_rebalance_end()

    assert rebalances() == (before[0] + 2, before[1] + 1)
