"""When the worker takes Kafka for unavailable, and reports it."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import NodeNotReadyError
from aiokafka.protocol.group import JoinGroupRequest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.worker.consumer.watch.kafka_watch import SILENT_SECONDS, STUCK_SECONDS, Answers, KafkaWatch, ask, observe
from services.worker.runtime.retry import retry_until_available

A_MOMENT = 0.1


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def answers(clock: Clock) -> Answers:
    return Answers(clock)


def answer(answers: Answers, node: int = 1) -> None:
    with answers.request(node):
        pass


def fail(answers: Answers, node: int = 1) -> None:
    with pytest.raises(NodeNotReadyError), answers.request(node):
        raise NodeNotReadyError


def unavailable() -> float:
    return REGISTRY.get_sample_value("callfold_dependency_unavailable", {"dependency": "kafka"}) or 0


def test_a_broker_that_answers_nothing_for_a_while_is_silent(answers: Answers, clock: Clock) -> None:
    answer(answers)

    with answers.request(1):
        clock.now += SILENT_SECONDS
        before = answers.silent()
        clock.now += A_MOMENT
        silent = answers.silent()

    assert (before, silent, answers.silent()) == (None, 1, None)


def test_a_broker_that_is_not_asked_is_not_silent(answers: Answers, clock: Clock) -> None:
    answer(answers)

    clock.now += 3_600

    assert answers.silent() is None


def test_a_broker_that_answers_slowly_but_steadily_is_not_silent(answers: Answers, clock: Clock) -> None:
    with answers.request(1):
        for _ in range(4):
            clock.now += SILENT_SECONDS - A_MOMENT
            answer(answers)
        slow = answers.silent()

    assert slow is None


def test_a_request_that_waits_too_long_is_stuck_although_others_are_answered(answers: Answers, clock: Clock) -> None:
    with answers.request(1):
        clock.now += STUCK_SECONDS + A_MOMENT
        answer(answers)
        stuck = answers.silent()

    assert stuck == 1


def test_one_silent_broker_of_several_counts(answers: Answers, clock: Clock) -> None:
    with answers.request(2):
        clock.now += SILENT_SECONDS + A_MOMENT
        answer(answers, 1)
        silent = answers.silent()

    assert silent == 2


def test_a_broker_that_cannot_be_reached_is_silent_until_it_answers(answers: Answers, clock: Clock) -> None:
    found = []
    for _ in range(4):
        fail(answers)
        clock.now += 1.0
        found.append(answers.silent())
    answer(answers)

    assert (found, answers.silent()) == ([None, None, 1, 1], None)


def test_a_broker_that_is_gone_and_is_not_asked_any_more_is_forgotten(answers: Answers, clock: Clock) -> None:
    for _ in range(4):
        fail(answers)
        clock.now += 1.0

    clock.now += 10.0

    assert answers.silent() is None


async def test_the_requests_of_a_client_are_observed_except_those_that_wait_for_other_members(
    answers: Answers, clock: Clock
) -> None:
    async def send(_node: int, _request: object, *, group: object) -> str:
        del group
        clock.now += SILENT_SECONDS + A_MOMENT
        return str(answers.silent())

    client: Any = SimpleNamespace(send=send)
    observe(client, answers)

    join = JoinGroupRequest("group", 6_000, 6_000, "", "", "consumer", [])
    assert (await client.send(1, object()), await client.send(1, join)) == ("1", "None")


async def test_each_broker_that_is_needed_is_asked(answers: Answers) -> None:
    asked: list[int] = []

    async def send(node: int, _request: object, **_: object) -> None:
        asked.append(node)

    leaders = {"a": 1, "b": 2, "c": -1, "d": None}
    consumer: Any = SimpleNamespace(
        _client=SimpleNamespace(send=send, cluster=SimpleNamespace(leader_for_partition=leaders.get)),
        _coordinator=SimpleNamespace(coordinator_id=3),
        assignment=lambda: set(leaders),
    )

    await asyncio.gather(*ask(consumer, answers))

    assert sorted(asked) == [1, 2, 3]


def test_an_outage_is_reported_while_it_lasts_and_no_longer(answers: Answers, clock: Clock) -> None:
    watch = KafkaWatch(answers, lambda: True, clock)
    reported = []

    with capture_logs() as logs:
        with answers.request(1):
            for _ in range(3):
                watch.check()
                reported.append((watch.unavailable, unavailable()))
                clock.now += SILENT_SECONDS
        watch.check()

    assert reported == [(None, 0), (None, 0), ("broker 1 does not answer", 1)]
    assert (watch.unavailable, unavailable()) == (None, 0)
    assert [line["event"] for line in logs] == ["dependency_unavailable", "dependency_recovered"]


def test_a_coordinator_that_is_not_found_for_a_while_is_reported(answers: Answers, clock: Clock) -> None:
    known = iter([True, False, False, True])
    watch, reported = KafkaWatch(answers, lambda: next(known), clock), []

    for _ in range(4):
        watch.check()
        reported.append(watch.unavailable)
        clock.now += SILENT_SECONDS

    assert reported == [None, None, "the group's coordinator is not found", None]


async def test_a_kafka_that_answers_does_not_hide_that_dead_letters_cannot_be_delivered(answers: Answers) -> None:
    watch, reported = KafkaWatch(answers, lambda: True), []

    async def publish() -> None:
        watch.check()
        reported.append(unavailable())
        if len(reported) < 3:
            raise ConnectionError("no broker")

    await retry_until_available("kafka", publish, ConnectionError)

    assert (reported[1:], unavailable()) == ([1, 1], 0)
