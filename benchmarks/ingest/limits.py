"""The limits of what a pipeline in Python can do here: consuming alone, and writing alone."""

from typing import ClassVar

from benchmarks.calls import Workload
from benchmarks.ingest.draining import Drained, database_of_its_own, events_in
from benchmarks.ingest.peer import Peer
from benchmarks.ingest.program import Program
from benchmarks.ingest.programs.write_log import written_events
from benchmarks.stage import Stage


class Consume(Program):
    """Fetches and decodes."""

    name: ClassVar[str] = "consume"


class WriteLog(Program):
    """Inserts documents of the log."""

    name: ClassVar[str] = "write_log"


async def consume(stage: Stage, workload: Workload, longest: float) -> Drained:
    """Fetch and decode the workload, and store nothing; see `Peer.drain`."""
    topics = await stage.published(workload)
    name = stage.name("consume")
    program = Consume(stage.folder / name, [stage.kafka.address, stage.mongo.uri, name, *topics.inputs])
    return await Peer(program, program.last_number, program.last_number).drain(stage.servers(), workload.total, longest)


async def write_log(stage: Stage, workload: Workload, longest: float) -> Drained:
    """Write the workload's events into the log, without a broker; see `Peer.drain`."""
    name = stage.name("write-log")
    with database_of_its_own(stage, name) as database:
        arguments = [stage.kafka.address, stage.mongo.uri, name, str(workload.events), str(workload.calls)]
        program = WriteLog(stage.folder / name, arguments)
        peer = Peer(program, program.last_number, lambda: events_in(database["call_events"]))
        return await peer.drain(stage.servers(), written_events(workload), longest)
