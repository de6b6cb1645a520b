"""Every `LargeCalls`: in this process, and in a process of the pool."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from shared.calls.large_calls import FoldFailed
from shared.calls.read_call import CallBroken, Finality
from shared.calls.read_details import read_details
from shared.calls.views import View
from shared.config.mongo_access import MongoAccess
from shared.fold.prices import PriceBook
from shared.fold_pool.in_process import InProcessFolds
from shared.fold_pool.pool import FoldPool
from shared.fold_pool.settings import PoolSettings
from shared.store.models import Lease
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from shared.store.mongo.factory import MongoStoreFactory
from shared.store.ports import Store
from shared.store.states import State
from tests.support.events.large_calls import long_call, put_large
from tests.support.events.makers import Json, book, event
from tests.support.store.makers import body_of, state_of, tokens, update
from tests.support.worker.memory_worker import folded


@dataclass
class Environment:
    """The folds under test, and their store."""

    folds: InProcessFolds | FoldPool
    store: Store


@pytest.fixture(params=["here", "pool"], scope="module")
async def env(request: pytest.FixtureRequest, mongo_uri: str) -> AsyncIterator[Environment]:
    database = f"t{uuid.uuid4().hex[:12]}"
    access = MongoAccess(mongo_uri)
    connection = Connection(access, database)
    store = MongoStore(connection)
    await store.prepare()
    pool = FoldPool(PoolSettings(), MongoStoreFactory(access, database, "motor", 30_000), book())
    yield Environment(InProcessFolds(store, book()) if request.param == "here" else pool, store)
    await pool.close()
    await connection.drop()
    await connection.close()


@pytest.fixture
def call(name: str) -> str:
    return f"org-789/{name}"


async def leased(store: Store, call: str) -> Lease:
    (lease,) = await store.lease([call], next(tokens))
    return lease


async def documents_of(store: Store, call: str, _book: PriceBook) -> int:
    return len((await store.read([call]))[call])


def events_of(call: str, *more: Json) -> list[Json]:
    return [*long_call(20, call), *more]


async def test_a_call_is_read_from_its_log(env: Environment, call: str) -> None:
    await put_large(env.store, events_of(call), call)

    reading = await env.folds.read(call)

    assert reading is not None
    assert (b"".join(reading.parts), reading.finality) == (folded(*events_of(call)), Finality.SETTLING)


async def test_the_details_of_a_call_are_read_from_its_log(env: Environment, call: str) -> None:
    await put_large(env.store, events_of(call), call)
    wanted = await read_details(env.store, call, book())

    reading = await env.folds.read(call, View.DETAILS)

    assert reading is not None
    assert wanted is not None
    assert (b"".join(reading.parts), reading.etag, reading.finality) == (wanted.body, wanted.etag, Finality.SETTLING)


@pytest.mark.parametrize("view", View)
async def test_a_call_never_seen_is_none(env: Environment, call: str, view: View) -> None:
    assert await env.folds.read(call, view) is None


@pytest.mark.parametrize("view", View)
async def test_reading_a_call_that_cannot_be_folded_fails(env: Environment, call: str, view: View) -> None:
    await env.store.mark_stale([update(call)])

    with pytest.raises(CallBroken):
        await env.folds.read(call, view)


async def test_a_question_about_a_call_is_answered_by_a_function_of_the_program(env: Environment, call: str) -> None:
    await put_large(env.store, events_of(call), call)

    assert await env.folds.ask(call, documents_of) == len((await env.store.read([call]))[call])


async def test_a_question_about_a_call_that_cannot_be_folded_fails(env: Environment, call: str) -> None:
    await env.store.mark_stale([update(call)])

    with pytest.raises(CallBroken):
        await env.folds.ask(call, read_details)


async def test_a_leased_call_is_folded_and_stored(env: Environment, call: str) -> None:
    await put_large(env.store, events_of(call), call)

    stored = await env.folds.store(await leased(env.store, call))

    found = await env.store.find(call)
    assert (stored.final, stored.overtaken, stored.stats.problems, stored.stats.invalid) == (True, False, {}, 0)
    assert found is not None
    assert (found.state, body_of(found)) == (State.FINAL, folded(*events_of(call)))


async def test_the_result_of_a_call_marked_stale_meanwhile_is_not_stored(env: Environment, call: str) -> None:
    await put_large(env.store, events_of(call), call)
    lease = await leased(env.store, call)

    await env.store.mark_stale([update(call)])
    stored = await env.folds.store(lease)

    assert stored.overtaken
    assert await state_of(env.store, call) is State.STALE


async def test_a_call_that_opts_out_is_redacted(env: Environment, call: str) -> None:
    organization, name = call.split("/")
    flag = event("call.updated", call=name, organization=organization, opt_out_sensitive_data_storage=True)
    await put_large(env.store, events_of(call, flag), call)

    await env.folds.store(await leased(env.store, call))

    log = (await env.store.read([call]))[call]
    assert b"Thursday" not in b"".join(raw for document in log for raw in document.events)


async def test_a_leased_call_that_cannot_be_folded_stays_leased(env: Environment, call: str) -> None:
    await env.store.mark_stale([update(call)])

    with pytest.raises(FoldFailed):
        await env.folds.store(await leased(env.store, call))

    assert await state_of(env.store, call) is State.FOLDING


async def test_a_record_that_does_not_fit_is_final_without_it_and_is_read_whole(env: Environment, call: str) -> None:
    bodies = long_call(14, call, line="x" * 900_000)
    await put_large(env.store, bodies, call)

    await env.folds.store(await leased(env.store, call))
    reading = await env.folds.read(call)

    found = await env.store.find(call)
    assert found is not None
    assert reading is not None
    assert (found.state, body_of(found), found.etag) == (State.FINAL, None, reading.etag)
    assert (b"".join(reading.parts), reading.finality) == (folded(*bodies), Finality.FINAL)


async def test_concurrent_readers_each_get_their_answer(env: Environment, call: str) -> None:
    await put_large(env.store, events_of(call), call)

    asked = [(call, View.RECORD), (f"{call}-none", View.RECORD), (call, View.DETAILS), (call, View.RECORD)]
    readings = await asyncio.gather(*(env.folds.read(*each) for each in asked))

    record, details = folded(*events_of(call)), await read_details(env.store, call, book())
    assert details is not None
    assert [reading and b"".join(reading.parts) for reading in readings] == [record, None, details.body, record]
