"""Faust and Motor as their tutorials have it: one `$push` per event, which waits for MongoDB's answer."""

from typing import ClassVar

from benchmarks.calls import Workload
from benchmarks.ingest.draining import Drained, database_of_its_own, events_in
from benchmarks.ingest.peer import Peer
from benchmarks.ingest.program import Program
from benchmarks.stage import Stage

# Counting reads all calls; so often, it does not slow down what it counts.
_LOOK_SECONDS = 1.0


class Tutorial(Program):
    """The tutorial's program."""

    name: ClassVar[str] = "tutorial"


async def drain(stage: Stage, workload: Workload, longest: float) -> Drained:
    """Drain the workload for so long; see `Peer.drain`."""
    topics = await stage.published(workload)
    name = stage.name("tutorial")
    with database_of_its_own(stage, name) as database:
        program = Tutorial(stage.folder / name, [stage.kafka.address, stage.mongo.uri, name, *topics.inputs])

        def pushed() -> int:
            return events_in(database["calls"])

        return await Peer(program, pushed, pushed, _LOOK_SECONDS).drain(stage.servers(), workload.total, longest)
