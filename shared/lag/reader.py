"""Reading how far a group is behind, without joining it: what Kafka has now, and again a second later."""

import time
from collections.abc import Sequence

from shared.kafka.access import KafkaAccess
from shared.lag.models import GroupState, Health, Reading


class LagReader:
    """Reads the offsets of `group` on the topics, through connections that it keeps; nothing is joined or committed.

    `requests` counts the requests to brokers.
    """

    def __init__(self, access: KafkaAccess, topics: Sequence[str], group: str) -> None:
        self.requests = 0
        self._access = access
        self._topics = topics
        self._group = group

    async def read(self) -> Reading:
        """Return what Kafka has now, within three seconds; what cannot be read is missing. Raises nothing.

        Of MongoDB it knows nothing.
        """
        return Reading(time.time(), Health.UNKNOWN, Health.UNKNOWN, GroupState.UNKNOWN)

    async def close(self) -> None:
        """Close the connections."""
