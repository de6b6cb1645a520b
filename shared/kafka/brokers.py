"""Requests to single brokers, through connections that are kept: for what asks again and again, and quickly."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiokafka.conn import AIOKafkaConnection, collect_hosts, create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.protocol.api import Request
from aiokafka.protocol.metadata import MetadataRequest

from shared.kafka.access import KafkaAccess

ANSWER_SECONDS = 2.0
"""A broker that takes longer is taken for one that does not answer: an outage is to be noticed within 5 s."""

NOT_ANSWERED = (KafkaError, OSError, TimeoutError, NotImplementedError)
"""What a request raises; NotImplementedError of aiokafka: the broker knows no version of it that aiokafka knows."""

_IDLE_MS = 60_000
_NO_LEADER = -1


@dataclass(frozen=True, slots=True)
class Layout:
    """Where brokers are (id to host and port), and the leader of each partition: None where it has none.

    `errors` has the error code of each topic that is not described.
    """

    brokers: Mapping[int, tuple[str, int]] = field(default_factory=dict)
    leaders: Mapping[tuple[str, int], int | None] = field(default_factory=dict)
    errors: Mapping[str, int] = field(default_factory=dict)


class Brokers:
    """The brokers of a cluster, and the layout of some topics; `requests` counts what was sent to them.

    Every method raises one of `NOT_ANSWERED`; the connection is then made anew at the next request.
    """

    def __init__(self, access: KafkaAccess, topics: Sequence[str]) -> None:
        self.requests = 0
        self.layout: Layout | None = None
        self._options = {"request_timeout_ms": round(ANSWER_SECONDS * 1000), "max_idle_ms": _IDLE_MS}
        self._access = access
        self._topics = list(topics)
        self._bootstrap = deque((host, port) for host, port, _ in collect_hosts(access.bootstrap))
        self._connections: dict[int, AIOKafkaConnection] = {}
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def refresh(self) -> Layout:
        """Read the layout again, from a broker that is connected, else from one of those to start with."""
        # By name, which creates no topic this way; all topics of a large cluster would be much.
        request = MetadataRequest(self._topics, allow_auto_topic_creation=False)
        for node in self._connected():
            with suppress(*NOT_ANSWERED):
                self.layout = _layout(await self.ask(node, request))
                return self.layout
        self.layout = _layout(await self._ask_bootstrap(request))
        return self.layout

    async def ask(self, node: int, request: Request[Any]) -> Any:
        """Return the broker's response to a request of aiokafka."""
        connection = await self._connection(node)
        self.requests += 1
        try:
            return await connection.send(request)
        except BaseException:
            connection.close()  # its answer may still come
            raise

    def any(self) -> int:
        """Return a broker for what every broker answers.

        Raises:
            KafkaConnectionError: none is known.
        """
        known: list[int] = [*self._connected(), *(self.layout.brokers if self.layout else ())]
        if not known:
            raise KafkaConnectionError("no broker is known")
        return known[0]

    async def close(self) -> None:
        connections, self._connections = self._connections, {}
        await asyncio.gather(*(connection.close() for connection in connections.values()))

    def _connected(self) -> list[int]:
        return [node for node, connection in self._connections.items() if connection.connected()]

    async def _connection(self, node: int) -> AIOKafkaConnection:
        async with self._locks[node]:
            known = self._connections.get(node)
            if known is None or not known.connected():
                if self.layout is None or node not in self.layout.brokers:
                    raise KafkaConnectionError(f"broker {node} is not known")
                known = self._connections[node] = await self._connect(*self.layout.brokers[node])
            return known

    async def _ask_bootstrap(self, request: Request[Any]) -> Any:
        # One that is down must not be the first each time.
        self._bootstrap.rotate(-1)
        error: BaseException = KafkaConnectionError("no broker")
        for host, port in tuple(self._bootstrap):
            try:
                connection = await self._connect(host, port)
                try:
                    self.requests += 1
                    return await connection.send(request)
                finally:
                    connection.close()
            except NOT_ANSWERED as failed:
                error = failed
        raise error

    async def _connect(self, host: str, port: int) -> AIOKafkaConnection:
        return await create_conn(host, port, client_id="callfold", **self._options, **self._access.security())


def _layout(response: Any) -> Layout:
    brokers = {node: (host, port) for node, host, port, *_ in response.brokers}
    topics = {topic: (code, parts) for code, topic, _internal, parts in response.topics}
    leaders = {
        (topic, part): None if leader == _NO_LEADER else leader
        for topic, (code, parts) in topics.items()
        if not code
        for _, part, leader, *_ in parts
    }
    return Layout(brokers, leaders, {topic: code for topic, (code, _) in topics.items() if code})
