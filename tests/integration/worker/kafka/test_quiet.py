"""What a worker logs while nothing comes, or nothing that it can read."""

import asyncio

import orjson

from shared.contract.topics import Topics
from tests.integration.worker.conftest import MakeWorker
from tests.support.events.makers import event
from tests.support.eventually import eventually
from tests.support.servers.kafka import message, producer
from tests.support.worker.impatient_faust import SECONDS

WORKER = "tests.support.worker.impatient_faust"


async def test_a_partition_without_progress_is_no_error(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics
) -> None:
    worker = make_worker().running(WORKER).start().wait_until_ready()
    async with producer(kafka_bootstrap, transactional_id=topics.prefix) as made:
        await made.begin_transaction()
        await made.send_and_wait(**message(event("call.started"), topics))
        # Faust checks two and a half times as rarely as it commits.
        await asyncio.sleep(5 * SECONDS)
        quiet = worker.written()
        await made.commit_transaction()

    await eventually(lambda: worker.events() == 1)
    lines = [orjson.loads(line) for line in quiet.splitlines() if line.startswith("{")]
    assert [line for line in lines if line["logger"].startswith(("faust", "mode")) and line["level"] == "error"] == []
