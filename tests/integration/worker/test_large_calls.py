"""Large calls in the real worker: each is folded in a process of its own, whose end affects no other call."""

from shared.calls.fold_call import render
from shared.calls.read_call import Finality
from shared.contract.topics import Topics
from shared.fold.fold import fold
from shared.kafka.partitioner import partition_of
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from shared.store.states import State
from tests.integration.worker.conftest import MakeWorker
from tests.support.events.large_calls import long_call, put_large
from tests.support.events.makers import book, decoded, raw
from tests.support.events.records import expected, wait_for
from tests.support.events.workload import conversations
from tests.support.eventually import eventually
from tests.support.fixtures import PARTITIONS
from tests.support.servers.kafka import publish, send_in_batches
from tests.support.store.makers import CALL, body_of, state_of
from tests.support.store.processes import children

TURNS = 100_000
AT_WORK_BYTES = 100 * 1024 * 1024


async def test_a_call_of_100_000_turns_is_folded_though_its_process_was_killed_once(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    turns, (other,) = long_call(TURNS, line="It cost $27, as I said."), conversations(1, 10)
    partition = partition_of("call-456", PARTITIONS)
    store = MongoStore(connection)
    await send_in_batches(kafka_bootstrap, topics.transcription, partition, map(raw, turns))

    worker = make_worker().start().wait_until_ready()
    await eventually(lambda: [each for each in children(worker.pid) if each.memory_info().rss > AT_WORK_BYTES], 120)
    children(worker.pid)[0].kill()
    await publish(kafka_bootstrap, topics, other)

    await wait_for(connection, expected(other))
    await eventually(lambda: _is(store, State.FINAL), within=120)
    found = await store.find(CALL)
    assert found is not None
    assert (body_of(found), found.etag) == (None, render(fold(decoded(turns), book()).record).etag)
    assert "SIGKILL ended its process" in worker.written()
    assert worker.events() == len(turns) + len(other)
    assert (worker.metric("callfold_dead_letters_total"), worker.metric("callfold_calls_broken_total")) == (0, 0)


async def test_a_call_that_needs_more_memory_than_is_set_is_broken_alone_and_the_log_names_the_setting(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    store = MongoStore(connection)
    await put_large(store, long_call(40_000, line="short"))
    (other,) = conversations(1, 10)

    with make_worker(pool_memory_mb=128) as worker:
        await publish(kafka_bootstrap, topics, other)
        await wait_for(connection, expected(other), Finality.FINAL)
        await eventually(lambda: "its fold needs more than CALLFOLD_POOL_MEMORY_MB=128" in worker.written())
        assert await _is(store, State.BROKEN)
        assert worker.metric("callfold_calls_broken_total") == 1


async def _is(store: MongoStore, state: State) -> bool:
    return CALL in await store.read_states([CALL]) and await state_of(store, CALL) is state
