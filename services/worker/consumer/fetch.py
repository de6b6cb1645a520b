"""How the worker fetches: each broker only so often, and all that has come is taken from Faust's stream together."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.consumer.fetcher import Fetcher
from faust.types import TP, StreamT

from services.worker.folding.schedule import BACKLOG_MS
from services.worker.ingest.decode_batch import KafkaRecord
from shared.contract.topics import LOG_APPEND_TIME

MAX_CHUNK = 500

_PARTITION_BYTES = (1024 * 1024, 4 * 1024 * 1024)
_ALL_PARTITIONS_BYTES = 96 * 1024 * 1024


@dataclass(slots=True, eq=False)
class Chunk:
    """Consecutive records of one partition, at least one; `generation` is the group's when they were fetched.

    `read_at` is when that was, in Unix milliseconds.
    """

    tp: TP
    records: Sequence[KafkaRecord]
    generation: int
    read_at: int
    acked: bool = False

    @property
    def next_offset(self) -> int:
        return int(self.records[-1].offset) + 1

    @property
    def arrival(self) -> int:
        """When the last record arrived, in Unix milliseconds: when it was read, if a producer's clock set its time."""
        timestamp = int(self.records[-1].timestamp)
        if self.records[-1].timestamp_type == LOG_APPEND_TIME:
            return timestamp
        # One that lies in the past looks like a backlog, and has to: nothing is folded in the middle of one.
        in_backlog = self.read_at - timestamp > BACKLOG_MS
        return self.read_at - (BACKLOG_MS + 1 if in_backlog else 0)


def cut(tp: TP, records: Sequence[KafkaRecord], generation: int, read_at: int) -> Iterator[Chunk]:
    """Yield the records of one partition as chunks of at most `MAX_CHUNK`."""
    for start in range(0, len(records), MAX_CHUNK):
        yield Chunk(tp, records[start : start + MAX_CHUNK], generation, read_at)


def partition_bytes(partitions: int) -> int:
    """Return how many bytes to fetch of each of so many partitions: all of them may wait to be delivered.

    The more comes of a partition at once, the more events of a call are in one document of the log.
    """
    least, most = _PARTITION_BYTES
    return max(least, min(most, _ALL_PARTITIONS_BYTES // max(1, partitions)))


def pace(fetcher: Fetcher, seconds: float) -> None:
    """Let the fetcher send at most one request to each broker in so many seconds.

    A response with a few records costs more than all that is done with the records. The broker could gather records
    instead (`fetch.min.bytes`), but would then respond as often when nothing comes.
    """
    fetch = fetcher._proc_fetch_request  # noqa: SLF001 - it fetches as soon as it can
    sent: dict[int, float] = {}

    async def paced(assignment: Any, node_id: int, request: Any) -> bool:
        try:
            await asyncio.sleep(sent.get(node_id, -math.inf) + seconds - time.monotonic())
        except asyncio.CancelledError:
            return False  # as when it is cancelled while it fetches
        sent[node_id] = time.monotonic()
        has_records: bool = await fetch(assignment, node_id, request)
        return has_records

    fetcher._proc_fetch_request = paced  # noqa: SLF001


async def fetched(stream: StreamT[bytes], most_fetches: int) -> AsyncIterator[Sequence[Chunk]]:
    """Yield the chunks of all fetches that have come, of at most so many together; Faust acknowledges none of them.

    Faust's own `noack_take` makes everything wait for its timer, and turns acknowledgements on again when it ends.
    """
    stream.enable_acks = False  # before the first event: each is acknowledged by what it finds then
    queue = stream.channel.queue
    events = aiter(stream.events())
    async for event in events:
        chunks, fetches = list(event.value), 1
        while fetches < most_fetches and not queue.empty():
            chunks += (await anext(events)).value
            fetches += 1
        yield chunks
