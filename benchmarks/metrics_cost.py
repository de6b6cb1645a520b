"""What the metrics cost the worker: the CPU of a batch with them and without, in turns, in one process.

    python -m benchmarks.metrics_cost

The store is in memory, so that nothing but the worker's own code is measured: with Kafka and MongoDB an event costs
more, and the share of the metrics is less.
"""

import asyncio
import gc
import statistics
import sys
import time
from contextlib import nullcontext
from typing import Any

from services.worker.ingest import write_batch
from tests.support.events.makers import event
from tests.support.worker.memory_worker import TELEPHONY, TRANSCRIPTION, MemoryWorker, Received, received

_CALLS, _EVENTS_A_CALL, _ROUNDS = 50, 10, 300
_TYPES = ("transcript.turn", "latency.sampled", "tool.called", "call.note")
_WRITER: Any = write_batch
_NONE = (lambda _batch, _written, _seconds: None), (lambda _step: nullcontext())


def _batch() -> list[Received]:
    """Return 500 events of 50 calls, as one fetch of all partitions brings them."""
    records: list[Received] = []
    for call in range(_CALLS):
        for number in range(_EVENTS_A_CALL):
            body = event(_TYPES[number % len(_TYPES)], call=f"call-{call}")
            records.append(received(body, topic=TRANSCRIPTION if number else TELEPHONY, offset=len(records)))
    return sorted(records, key=lambda record: (record.topic, record.partition))


async def _seconds(records: list[Received]) -> float:
    """Return the CPU of one batch (seconds); each has a store of its own."""
    worker = MemoryWorker()
    began = time.process_time()
    await worker.bring(records)
    return time.process_time() - began


async def main() -> None:
    records = _batch()
    metrics = _WRITER.record_batch, _WRITER.Timed
    found: dict[bool, list[float]] = {True: [], False: []}
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)  # as in the worker
    for number in range(_ROUNDS):
        for with_metrics in (True, False) if number % 2 else (False, True):
            _WRITER.record_batch, _WRITER.Timed = metrics if with_metrics else _NONE
            found[with_metrics].append(await _seconds(records))
    # The fastest tenth: other processes only make a round slower.
    with_them, without = (statistics.quantiles(found[each], n=10)[0] for each in (True, False))
    sys.stdout.write(
        f"{_ROUNDS} batches of {len(records)} events each way: {with_them / len(records) * 1e6:.2f} us of CPU an event"
        f" with the metrics, {without / len(records) * 1e6:.2f} without, {with_them / without - 1:+.2%}\n"
    )


if __name__ == "__main__":
    asyncio.run(main())
