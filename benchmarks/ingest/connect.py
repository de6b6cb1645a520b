"""Kafka Connect with MongoDB's sink: stores each event as a document of its own, as it came."""

from benchmarks.calls import Workload
from benchmarks.connect.worker import ConnectWorker, Mode, Sink
from benchmarks.ingest.draining import Drained, database_of_its_own
from benchmarks.ingest.peer import Peer
from benchmarks.stage import Stage


async def drain(stage: Stage, workload: Workload, longest: float, mode: Mode) -> Drained:
    """Drain the workload in this mode; see `Peer.drain`."""
    topics = await stage.published(workload)
    name = stage.name(f"connect-{mode}")
    with database_of_its_own(stage, name) as database:
        events = database["events"]
        sink = Sink(name, stage.kafka.address, topics.inputs, stage.mongo.uri, name, events.name, mode)
        worker = ConnectWorker(stage.folder / name, sink)
        peer = Peer(worker, events.estimated_document_count, lambda: events.count_documents({}))
        return await peer.drain(stage.servers(), workload.total, longest)
