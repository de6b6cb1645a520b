"""Reporting that Kafka is unavailable."""

from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.worker.consumer.coordinator import CoordinatorWatch
from services.worker.runtime.retry import retry_until_available


def unavailable() -> float | None:
    return REGISTRY.get_sample_value("callfold_dependency_unavailable", {"dependency": "kafka"})


def test_an_outage_is_reported_while_it_lasts_and_no_longer() -> None:
    answers = iter([True, False, False, True])
    watch = CoordinatorWatch(lambda: next(answers))
    watch.check()

    reported = []
    with capture_logs() as logs:
        for _ in range(3):
            watch.check()
            reported.append(unavailable())

    assert reported == [1, 1, 0]
    assert [line["event"] for line in logs] == ["dependency_unavailable", "dependency_recovered"]


async def test_a_coordinator_that_answers_does_not_hide_that_dead_letters_cannot_be_delivered() -> None:
    watch, reported = CoordinatorWatch(lambda: True), []

    async def publish() -> None:
        watch.check()
        reported.append(unavailable())
        if len(reported) < 3:
            raise ConnectionError("no broker")

    await retry_until_available("kafka", publish, ConnectionError)

    assert (reported[1:], unavailable()) == ([1, 1], 0)
