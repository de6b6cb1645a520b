"""What the canary needs of the outside: somewhere to publish is `shared.kafka.producer.RecordPublisher`."""

from dataclasses import dataclass
from typing import Any, Protocol


class ApiUnavailable(Exception):
    """The API does not answer, or refuses; the message says how, without key or secret."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API has of a call; `record` is None while it has none, `etag` and `finality` are then empty."""

    record: Any = None
    etag: str = ""
    finality: str = ""


class RecordReader(Protocol):
    """Reads records over HTTP, as a customer."""

    async def read(self, call_id: str, known: Answer) -> Answer:
        """Return what the API has of the call; `known` is the answer before, which is not sent again.

        Raises:
            ApiUnavailable: the API does not answer as it should.
        """
