"""Whether Kafka answers the worker's consumer: for its readiness, and reported.

aiokafka waits for each answer as long as a rebalance may take (90 s), and reports a broker that is silent to nobody.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.client import ConnectionGroup
from aiokafka.errors import KafkaError
from aiokafka.protocol.group import JoinGroupRequest, SyncGroupRequest
from aiokafka.protocol.metadata import MetadataRequest

from shared.process.dependencies import DependencyStatus

Node = int | str
"""A broker by its id, or `BOOTSTRAP`."""

BOOTSTRAP = "bootstrap"
"""Stands for the brokers of `CALLFOLD_KAFKA_BOOTSTRAP`, until one of them has named all."""

SILENT_SECONDS = 2.5
"""A broker that is asked and answers nothing for so long is silent: every request below is answered in 0.2 s."""

STUCK_SECONDS = 15.0
"""One request that waits for so long is stuck, even if the broker answers others: 8 MB take less."""

_FORGET_SECONDS = 5.0
_NO_LEADER = -1
_MOST_WAITING = 10
_ASK_SECONDS = 2 * SILENT_SECONDS
# They are answered within two minutes at most: when all members of the group have joined.
_SLOW_BY_DESIGN = (JoinGroupRequest, SyncGroupRequest)
# A connection of its own: on the others an answer comes after the records of a fetch, or when the group has joined.
_CONNECTION = "answers"


class Answers:
    """What each broker has answered, and what it was asked; `clock` returns seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: defaultdict[Node, dict[object, float]] = defaultdict(dict)
        self._answered: dict[Node, float] = {}
        self._failing: dict[Node, tuple[float, float]] = {}

    @contextmanager
    def request(self, node: Node) -> Iterator[None]:
        """Record that a broker is asked, until the block ends: with its answer, or with an error."""
        request, sent = object(), self._clock()
        self._waiting[node][request] = sent
        try:
            yield
        except (KafkaError, OSError, TimeoutError):
            since, _ = self._failing.get(node, (sent, sent))
            self._failing[node] = since, self._clock()
            raise
        else:
            self._answered[node] = self._clock()
            self._failing.pop(node, None)
        finally:
            del self._waiting[node][request]

    def waiting(self, node: Node) -> int:
        """Return how many requests to a broker wait for their answers."""
        return len(self._waiting[node])

    def silent(self) -> Node | None:
        """Return a broker that is asked and does not answer, None if there is none."""
        now = self._clock()
        return next((node for node in {*self._waiting, *self._failing} if self._is_silent(node, now)), None)

    def _is_silent(self, node: Node, now: float) -> bool:
        oldest = min(self._waiting[node].values(), default=now)
        since, last = self._failing.get(node, (now, now))
        if now - last > _FORGET_SECONDS:
            since = now  # nobody asks it any more, as when its partitions have another leader
        unanswered = max(min(oldest, since), self._answered.get(node, 0.0))
        return now - unanswered > SILENT_SECONDS or now - oldest > STUCK_SECONDS


class KafkaWatch:
    """Reports brokers that are silent, and a coordinator of the group that is not found; `clock` returns seconds."""

    def __init__(
        self, answers: Answers, has_coordinator: Callable[[], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.unavailable: str | None = None
        """Why the worker cannot read from Kafka now, None if it can."""
        self._answers = answers
        self._has_coordinator = has_coordinator
        self._clock = clock
        self._coordinator_seen = clock()
        self._status = DependencyStatus("kafka")

    def check(self) -> None:
        """Look at what the brokers have answered by now."""
        self.unavailable = self._reason()
        if self.unavailable is None:
            self._status.recovered()
        else:
            self._status.unavailable(self.unavailable)

    def _reason(self) -> str | None:
        now = self._clock()
        if self._has_coordinator():
            self._coordinator_seen = now
        silent = self._answers.silent()
        if silent is not None:
            return "no broker answers" if silent == BOOTSTRAP else f"broker {silent} does not answer"
        if now - self._coordinator_seen > SILENT_SECONDS:
            return "the group's coordinator is not found"
        return None


def observe(client: Any, answers: Answers) -> None:
    """Let `answers` know of each request that an aiokafka client sends."""
    send = client.send

    async def observed(node_id: int, request: Any, *, group: Any = ConnectionGroup.DEFAULT) -> Any:
        if isinstance(request, _SLOW_BY_DESIGN):
            return await send(node_id, request, group=group)
        with answers.request(node_id):
            return await send(node_id, request, group=group)

    client.send = observed


def ask(consumer: AIOKafkaConsumer, answers: Answers) -> set[asyncio.Task[None]]:
    """Send a request to each broker that the consumer needs: while it is full, or joins, it sends none by itself."""
    return {
        asyncio.create_task(_ask(consumer, answers, node))
        for node in _needed(consumer)
        if answers.waiting(node) < _MOST_WAITING
    }


async def _ask(consumer: AIOKafkaConsumer, answers: Answers, node: Node) -> None:
    with suppress(KafkaError, OSError, TimeoutError), answers.request(node):
        # A client connects to one broker at a time: others would wait behind one that is gone.
        async with asyncio.timeout(_ASK_SECONDS):
            await consumer._client.send(node, MetadataRequest([]), group=_CONNECTION)  # noqa: SLF001


def _needed(consumer: AIOKafkaConsumer) -> set[Node]:
    """Return the group's coordinator and the leaders of the assigned partitions, as far as they are known."""
    cluster = consumer._client.cluster  # noqa: SLF001 - there is no public way
    nodes = {coordinator_of(consumer), *(cluster.leader_for_partition(part) for part in consumer.assignment())}
    return {node for node in nodes if node is not None and node != _NO_LEADER}


def coordinator_of(consumer: AIOKafkaConsumer) -> int | None:
    """Return the broker that is the group's coordinator, None as long as it is not known."""
    # There is no coordinator before the consumer is started.
    known: int | None = getattr(consumer._coordinator, "coordinator_id", None)  # noqa: SLF001
    return known
