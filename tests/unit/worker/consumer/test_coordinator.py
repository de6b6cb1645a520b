"""Saying that Kafka is away."""

import pytest
from prometheus_client import REGISTRY

from services.worker.consumer.coordinator import CoordinatorWatch


def waiting() -> float | None:
    return REGISTRY.get_sample_value("callfold_dependency_unavailable", {"dependency": "kafka"})


def test_what_is_waited_for_is_said_while_it_is_away_and_no_longer(capsys: pytest.CaptureFixture[str]) -> None:
    heard = iter([True, False, False, True])
    watch = CoordinatorWatch(lambda: next(heard))
    watch.look()

    said = []
    for _ in range(3):
        watch.look()
        said.append(waiting())

    assert said == [1, 1, 0]
    lines = capsys.readouterr().out.splitlines()
    assert [("dependency_unavailable" in line, "dependency_recovered" in line) for line in lines] == [
        (True, False),
        (False, True),
    ]
