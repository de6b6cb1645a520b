"""What Kafka does to partitions under the consumer: topics are made anew, records are removed before they are read.

aiokafka copes with each by itself, and reports none: it commits the offsets of a topic that is gone to the one that is
made in its place, which then loses its beginning, and continues behind records that were removed.
"""

# ruff: noqa: SLF001 - what aiokafka's consumer learns is not public

from collections.abc import Iterator
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import OffsetOutOfRangeError, UnknownTopicOrPartitionError
from aiokafka.protocol.fetch import FetchRequest
from faust.types import TP

from services.worker import metrics
from shared.process.logs import logger

log = logger(__name__)


class TopicChanges:
    """Watches the fetches and commits of a consumer, in the consumer's thread.

    `deleted`: a topic was deleted since the positions were last taken from the committed offsets. Nothing may be
    committed before they are again, which Kafka forgets with the topic.
    """

    def __init__(self) -> None:
        self.deleted = False
        self._out_of_range: dict[TP, int] = {}
        self._consumer: AIOKafkaConsumer | None = None

    def watch(self, consumer: AIOKafkaConsumer) -> None:
        """Watch a consumer that is started."""
        self._consumer = consumer
        client, coordinator = consumer._client, consumer._coordinator
        send, commit = client.send, coordinator._do_commit_offsets

        async def watched_send(node: Any, request: Any, **options: Any) -> Any:
            if not isinstance(request, FetchRequest):
                return await send(node, request, **options)
            offsets = {TP(topic, number): offset for topic, parts in request.topics for number, offset, *_ in parts}
            self._report_lost(offsets)
            response = await send(node, request, **options)
            self._examine(response, offsets)
            return response

        async def watched_commit(assignment: Any, offsets: Any) -> None:
            if self.deleted:
                return
            try:
                await commit(assignment, offsets)
            except UnknownTopicOrPartitionError:
                # aiokafka would try again until the topic exists again, and commit the old offsets to the new topic.
                self._on_deleted()

        client.send, coordinator._do_commit_offsets = watched_send, watched_commit

    def sought(self) -> None:
        """Record that the positions are being taken from the committed offsets again."""
        self.deleted = False
        # Another worker may have owned the partition meanwhile. What is out of range still is answered again.
        self._out_of_range.clear()

    def _examine(self, response: Any, offsets: dict[TP, int]) -> None:
        for tp, code in _errors(response):
            if code == UnknownTopicOrPartitionError.errno:
                self._on_deleted()
            elif code == OffsetOutOfRangeError.errno and tp in offsets:
                self._out_of_range[tp] = offsets[tp]

    def _on_deleted(self) -> None:
        if not self.deleted and self._consumer is not None:
            self.deleted = True
            log.warning("topic_deleted", hint="positions are taken from the committed offsets again")
            self._consumer._coordinator.request_rejoin()

    def _report_lost(self, offsets: dict[TP, int]) -> None:
        """Report what lies between a position that was out of range and the one that the consumer went to instead."""
        for tp in self._out_of_range.keys() & offsets.keys():
            first, now = self._out_of_range.pop(tp), offsets[tp]
            if now > first:
                metrics.RECORDS_LOST.labels(tp.topic, str(tp.partition)).inc(now - first)
                log.error(
                    "records_lost",
                    topic=tp.topic,
                    partition=tp.partition,
                    first=first,
                    last=now - 1,
                    hint="Kafka removed them before they were read: docs/runbooks/records-were-lost.md",
                )


def _errors(response: Any) -> Iterator[tuple[TP, int]]:
    for topic, partitions in response.topics:
        for number, code, *_ in partitions:
            if code:
                yield TP(topic, number), code
