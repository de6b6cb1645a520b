"""How every program reaches Kafka: where it is, and as whom."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """`bootstrap`: `host:port`, several with commas between them."""

    bootstrap: str

    def options(self) -> dict[str, Any]:
        """Return the arguments by which aiokafka's clients connect."""
        return {"bootstrap_servers": self.bootstrap}
