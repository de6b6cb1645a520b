"""The console of a real stack, and who publishes to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from deploy.local.credentials.console_account import NAME, PASSWORD
from deploy.local.ports import HOST
from deploy.local.stack import Stack
from shared.contract.topics import Topics
from tests.support.events.makers import Json
from tests.support.servers.kafka import publish, send

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

    async def publish(self, events: Sequence[Json]) -> None:
        """Publish events as a provider should."""
        await publish(self._bootstrap, Topics(), events)

    async def send(self, topic: str, value: bytes, headers: Headers = ()) -> None:
        """Send a record, however wrong it is."""
        await send(self._bootstrap, [{"topic": topic, "value": value, "key": b"key", "headers": headers}])

    @property
    def _bootstrap(self) -> str:
        return self.stack.environment()["CALLFOLD_KAFKA_BOOTSTRAP"]

    def stop_worker(self) -> None:
        self.stack.supervision.client.stop("worker")

    def start_worker(self) -> None:
        self.stack.supervision.client.start("worker")
