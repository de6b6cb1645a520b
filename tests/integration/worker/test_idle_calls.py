"""Idle calls, on a real broker and a real database."""

import asyncio
from pathlib import Path

import orjson

from services.worker.maintenance.inferred_end import SOURCE
from shared.contract.topics import Topics
from shared.store.mongo.client import Connection
from tests.integration.worker.conftest import MakeWorker
from tests.support.events.makers import STARTED, Json, event
from tests.support.events.records import expected, wait_for
from tests.support.eventually import eventually, scaled
from tests.support.servers.kafka import message, producer, publish, records

IDLE = [f"call-{number}" for number in range(6)]


async def inferred_ends(bootstrap: str, topics: Topics) -> list[Json]:
    bodies = [orjson.loads(record.value) for record in await records(bootstrap, topics.telephony)]
    return [body for body in bodies if body["source"] == SOURCE]


async def keep_active(bootstrap: str, topics: Topics, turns: list[Json], enough: asyncio.Event) -> None:
    async with producer(bootstrap) as made:
        while not enough.is_set():
            turns.append(event("transcript.turn", at=STARTED + len(turns) * 1_000, call="call-active"))
            await made.send_and_wait(**message(turns[-1], topics))
            await asyncio.sleep(0.3)


async def test_idle_calls_are_ended_until_their_real_end_comes_and_an_active_call_is_not(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection, tmp_path: Path
) -> None:
    policies = tmp_path / "policies.toml"
    policies.write_text(f"[default]\nclose_ongoing_seconds = {scaled(5):.0f}\n")
    workers = [make_worker(policies=policies, idle_check_seconds=0.5).start() for _ in range(2)]
    for worker in workers:
        worker.wait_until_ready()
    started = [event("call.started", call=call) for call in IDLE]
    talked, enough = [event("call.started", call="call-active")], asyncio.Event()

    await publish(kafka_bootstrap, topics, [*started, *talked])
    async with asyncio.TaskGroup() as meanwhile:
        meanwhile.create_task(keep_active(kafka_bootstrap, topics, talked, enough))

        async def all_closed() -> bool:
            return {body["subject"] for body in await inferred_ends(kafka_bootstrap, topics)} >= set(IDLE)

        await eventually(all_closed)
        ends = await inferred_ends(kafka_bootstrap, topics)
        await wait_for(connection, expected([*started, *ends]))

        real = [event("call.ended", call=call, at=STARTED + 9_000) for call in IDLE]
        await publish(kafka_bootstrap, topics, real)
        await wait_for(connection, expected([*started, *ends, *real]))
        enough.set()

    talked.append(event("call.ended", call="call-active", at=STARTED + 900_000))
    await publish(kafka_bootstrap, topics, talked[-1:])
    await wait_for(connection, expected(talked))
    ends = await inferred_ends(kafka_bootstrap, topics)
    assert {body["subject"] for body in ends} == set(IDLE)
    assert len({body["id"] for body in ends}) == len(IDLE)
    assert all(worker.metric("callfold_idle_calls_ended_total") > 0 for worker in workers)
