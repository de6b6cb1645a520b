"""The peer in Kafka Streams: a run is complete when every call's record is in MongoDB and right, as for Callfold."""

import asyncio
from collections.abc import Iterator
from typing import Any

from benchmarks.load.calls import Workload
from benchmarks.parts.draining import Drained, beginning, last_fold
from benchmarks.peers.kafka_streams import StreamsPeer
from benchmarks.stage import BytesWritten, CpuTime, Documents, Stage, peak_megabytes, until
from deploy.local.errors import NotReadyError
from shared.kafka.access import KafkaAccess
from shared.kafka.admin import admin_client
from tests.support.events.makers import Json

_POLL_SECONDS = 0.25
_STOP_WITHIN = 10.0
_NOT_IN_BOTH = ("id", "public_log_url", "opt_out_sensitive_data_storage", "call_analysis", "telephony_identifier")
"""Fields of Callfold's record that the peer does not make: of these calls they are empty, but for the id."""
_ITS_OWN = ("_id", "event_count", "folded_at")
_READ = 200


async def drain(stage: Stage, workload: Workload, longest: float) -> Drained:
    """Drain the workload.

    Raises:
        AssertionError: after so many seconds a record is missing or differs from the reference implementation's.
        NotReadyError: the peer ended by itself.
    """
    topics = await stage.published(workload)
    with stage.database("streams") as database:
        written = BytesWritten(stage.client)
        peer = StreamsPeer(stage, topics, database.name)
        peer.prepare()
        peer.start()
        try:
            pids = {**stage.pids(), "pipeline": peer.pid}
            start = await beginning(pids, peer.last_number, check=lambda: _check(peer))
            used = await _all_right(peer, database, workload, start.cpu, longest)
            peak = peak_megabytes(peer.pid)
        finally:
            peer.stop(_STOP_WITHIN)
            await _delete_changelogs(stage.kafka.address, database.name)
        seconds = last_fold(database) - start.at
        done = Drained(workload.total - start.events, seconds, used, peak, peer.folds())
        return done.wrote(written.total(), workload.total)


async def _all_right(
    peer: StreamsPeer, database: Documents, workload: Workload, cpu: CpuTime, longest: float
) -> dict[str, float]:
    """Return the CPU used until all records are there, once they are right: a late event folds its call again."""

    def all_there() -> bool:
        _check(peer)
        return database.calls.estimated_document_count() >= workload.calls

    wrong: list[str] = []
    try:
        async with asyncio.timeout(longest):
            while True:
                await until(all_there, longest, _POLL_SECONDS)
                used = cpu.seconds()  # before the records are read, which costs the server more than a poll
                wrong = await asyncio.to_thread(lambda: list(_wrong(database, workload)))
                if not wrong:
                    return used
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        there = database.calls.count_documents({})
        raise AssertionError(
            f"Kafka Streams: {there:,} of {workload.calls:,} records are there after {longest:.0f} s, "
            f"{len(wrong)} differ from the reference implementation: {wrong[:3]}"
        ) from None


async def _delete_changelogs(bootstrap: str, application: str) -> None:
    """Delete the topics that Kafka Streams made for its stores: each is about as large as the backlog."""
    async with admin_client(KafkaAccess(bootstrap)) as admin:
        await admin.delete_topics([each for each in await admin.list_topics() if each.startswith(f"{application}-")])


def _check(peer: StreamsPeer) -> None:
    if (how := peer.ended()) is not None:
        raise NotReadyError(peer.name, how, peer.log)


def _wrong(database: Documents, workload: Workload) -> Iterator[str]:
    for start in range(0, workload.calls, _READ):
        numbers = range(start, min(start + _READ, workload.calls))
        keys = {workload.key(number): number for number in numbers}
        stored = {each["_id"]: each for each in database.calls.find({"_id": {"$in": list(keys)}})}
        for key, number in keys.items():
            if key not in stored or not is_right(stored[key], workload, number):
                yield key


def is_right(document: dict[str, Any], workload: Workload, number: int) -> bool:
    """Return whether a document of the peer holds all events of the call, and what the reference makes of them."""
    _, expected = workload.expected(number)
    record: Json = {name: value for name, value in document.items() if name not in _ITS_OWN}
    return document["event_count"] == workload.size(number) and record == {
        name: value for name, value in expected.items() if name not in _NOT_IN_BOTH
    }
