"""Folds that end their process, and folds that take long. Both runs mostly wait, so they run concurrently."""

import asyncio
from collections.abc import AsyncIterator
from itertools import chain

import pytest
from aiokafka import AIOKafkaConsumer

from shared.contract.topics import Topics
from shared.store.states import MAX_ATTEMPTS, State
from tests.support.events.records import expected, wait_for
from tests.support.eventually import eventually
from tests.support.servers.kafka import publish
from tests.support.servers.namespace import Place, place
from tests.support.worker.failing_folds import DEADLY, EXIT_STATUS, HELD, LEASES
from tests.support.worker.fold_cases import ended

pytestmark = pytest.mark.timeout(900)

PROGRAM = "tests.support.worker.failing_folds"
CLAIM_SECONDS = 3
FOLD_SECONDS = 5 * CLAIM_SECONDS

Runs = tuple[asyncio.Task[int], asyncio.Task[list[str]]]


@pytest.fixture(scope="module")
async def runs(kafka_bootstrap: str, mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Runs]:
    """Return the deaths of one run, and the leases of the other."""
    folders = tmp_path_factory.mktemp("deadly"), tmp_path_factory.mktemp("slow")
    at = [place(kafka_bootstrap, mongo_uri, Topics(folder.name), folder) for folder in folders]
    async with at[0] as one, at[1] as other:
        running = asyncio.create_task(deadly(one)), asyncio.create_task(slow(other))
        yield running
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def test_a_call_whose_fold_ends_its_process_is_broken_and_all_others_go_on(runs: Runs) -> None:
    deaths = await runs[0]

    assert deaths == MAX_ATTEMPTS


async def test_a_fold_that_takes_long_is_claimed_once_and_not_in_turns(runs: Runs) -> None:
    leases = await runs[1]

    assert leases == ["org-789/slow"]


async def deadly(where: Place) -> int:
    """Return how many processes end before a call is broken; fail if any other does not get its record."""
    others = list(chain.from_iterable(ended(f"call-{number}") for number in range(20)))
    late = ended("call-20")
    deaths = 0
    await publish(where.kafka, where.topics, ended("deadly") + others)
    worker = where.worker(PROGRAM, **{DEADLY: "org-789/deadly", "CALLFOLD_LEASE_SECONDS": "1"})

    async def broken() -> bool:
        nonlocal deaths
        if worker.ended():
            assert worker.wait() == EXIT_STATUS
            deaths += 1
            worker.start()  # as a supervisor does
        found = await where.store.find("org-789/deadly")
        return found is not None and found.state is State.BROKEN

    await eventually(broken, within=300)
    await publish(where.kafka, where.topics, late)
    await wait_for(where.connection, expected(others + late), within=120)
    await eventually(where.committed, within=120)
    return deaths


async def slow(where: Place) -> list[str]:
    """Return the leases that two workers take of a call whose fold takes several times as long as a lease holds."""
    leases, held = where.folder / "claims", where.folder / "held"
    leases.touch()
    held.touch()
    variables = {LEASES: str(leases), HELD: str(held), "CALLFOLD_LEASE_SECONDS": str(CLAIM_SECONDS)}
    events = ended("slow")
    await publish(where.kafka, where.topics, events)
    where.worker(PROGRAM, **variables)
    await eventually(leases.read_text, within=120)
    # A group of its own: it owns the call's partition too, and has no event to mark the call by.
    await skip_everything(where, "the-others")
    other = where.worker(PROGRAM, **variables, CALLFOLD_GROUP="the-others")
    await eventually(other.ready, within=120)
    await asyncio.sleep(FOLD_SECONDS)
    held.unlink()
    await wait_for(where.connection, expected(events), within=120)
    return leases.read_text().splitlines()


async def skip_everything(where: Place, group: str) -> None:
    """Let a group begin at the end of the topics."""
    consumer = AIOKafkaConsumer(*where.topics.inputs, bootstrap_servers=where.kafka, group_id=group)
    await consumer.start()
    await consumer.commit(await consumer.end_offsets(consumer.assignment()))
    await consumer.stop()
