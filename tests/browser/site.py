"""The console of a real stack, and who publishes to it."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer

from deploy.local.credentials.console_account import NAME, PASSWORD
from deploy.local.ports import HOST
from deploy.local.stack import Stack
from tests.support.callfold import run

Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Site:
    """A running stack as somebody with a browser, and a provider, see it."""

    stack: Stack
    name: str = NAME

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.stack.ports.console}"

    @property
    def password(self) -> str:
        return (self.stack.console / PASSWORD).read_text()

    async def publish(self, events: Sequence[dict[str, Any]]) -> None:
        """Publish by `callfold publish`."""
        lines = "".join(json.dumps(event) + "\n" for event in events)
        bootstrap = self._bootstrap
        done = await asyncio.to_thread(lambda: run("publish", "-", text=lines.encode(), kafka_bootstrap=bootstrap))
        assert done.returncode == 0, done.stderr

    async def send(self, topic: str, value: bytes, headers: Headers = ()) -> None:
        """Send a record, however wrong it is."""
        async with AIOKafkaProducer(bootstrap_servers=self._bootstrap, acks="all") as producer:
            await producer.send_and_wait(topic, value, key=b"key", headers=headers)

    @property
    def _bootstrap(self) -> str:
        return self.stack.environment()["CALLFOLD_KAFKA_BOOTSTRAP"]

    def stop_worker(self) -> None:
        self.stack.supervision.client.stop("worker")

    def start_worker(self) -> None:
        self.stack.supervision.client.start("worker")
