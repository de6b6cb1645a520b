"""Count what one event crosses, from a record's bytes to the JSON that is served: `python -m tests.support.one_event`.

The batch writer, the fold loop and the API run in this process on a real MongoDB; Faust's consumer is left out.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from shared.config.mongo_access import MongoAccess
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.support.api.client import reader
from tests.support.events.makers import event
from tests.support.servers.servers import mongo_server
from tests.support.worker.memory_worker import MemoryWorker

ROOT = Path(__file__).parents[2]
SOURCES = tuple(str(ROOT / folder) for folder in ("services", "shared"))

Calls = set[tuple[CodeType | None, CodeType]]


@contextmanager
def recorded() -> Iterator[Calls]:
    """Record which function of ours calls which; the caller is the nearest one of ours on the stack."""
    calls: Calls = set()

    def record(frame: FrameType, what: str, _argument: Any) -> None:
        if what == "call" and frame.f_code.co_filename.startswith(SOURCES):
            caller = frame.f_back
            while caller and not caller.f_code.co_filename.startswith(SOURCES):
                caller = caller.f_back
            calls.add((caller and caller.f_code, frame.f_code))

    sys.setprofile(record)
    yield calls
    sys.setprofile(None)


async def crossed(uri: str) -> Calls:
    """Write the end of a call that has started, fold the call and read its final record."""
    connection = Connection(MongoAccess(uri), "one_event")
    store = MongoStore(connection)
    await store.prepare()
    worker, api = MemoryWorker(store=store), await reader(store)
    await worker.deliver(event("call.started"))
    with recorded() as calls:
        await worker.deliver(event("call.ended"))
        await worker.rest()
        answer = await api.get("/api/calls/call-456")
    assert answer.headers["X-Call-Finality"] == "final"
    await connection.close()
    return calls


def main() -> None:
    """Print the counts and the files."""
    with mongo_server() as server:
        calls = asyncio.run(crossed(f"mongodb://{server.address}/?replicaSet=rs"))
    functions = {called for _, called in calls if not called.co_name.startswith("<")}
    files = sorted({str(Path(function.co_filename).relative_to(ROOT)) for function in functions})
    hops = [each for each in calls if each[0] and each[0].co_filename != each[1].co_filename]
    print(f"{len(functions)} functions in {len(files)} files, {len(hops)} calls from one file into another")  # noqa: T201
    print(*files, sep="\n")  # noqa: T201


if __name__ == "__main__":
    main()
