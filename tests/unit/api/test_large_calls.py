"""Large calls in the API: folded in the pool, one fold at a time per call, for a limited number of requests."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from structlog.testing import capture_logs

from shared.calls.fold_call import StoredFold, render
from shared.calls.large_calls import FoldFailed, LargeReading, OutOfMemory, PoolUnavailable, ProcessEnded
from shared.calls.read_call import POOLED_BYTES, CallBroken, Finality
from shared.calls.read_details import read_details
from shared.calls.views import View
from shared.fold.fold import fold
from shared.fold_pool.in_process import InProcessFolds
from shared.store.models import Lease
from shared.store.ports import StoreUnavailable
from tests.support.api.client import Reader, beside_requests, put, reader
from tests.support.events.makers import book, decoded, event
from tests.support.eventually import eventually
from tests.support.store.makers import CALL, result, tokens, too_large, update
from tests.support.worker.fold_cases import BEGUN, ENDED, SAID, Heavy
from tests.support.worker.unstarted_consumer import turns

PATH = "/api/calls/call-456"
SMALL = "/api/calls/call-1"


@dataclass
class ControlledPool:
    """A pool whose folds wait until the test sets `released`, and then fail with `failure` if there is one."""

    source: Heavy
    failure: Exception | None = None
    released: asyncio.Event = field(default_factory=asyncio.Event)
    started: list[str] = field(default_factory=list)
    running: int = 0
    most_running: int = 0

    async def store(self, lease: Lease) -> StoredFold:
        raise NotImplementedError(lease)

    async def read(self, call: str, view: View = View.RECORD) -> LargeReading | None:
        self.started.append(call)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        reading = await InProcessFolds(self.source, book()).read(call, view)
        await self.released.wait()
        self.running -= 1
        if self.failure:
            raise self.failure
        return reading


@dataclass
class Setup:
    api: Reader
    pool: ControlledPool
    store: Heavy


async def setup(*, released: bool = True, failure: Exception | None = None, **settings: Any) -> Setup:
    """Return an API with one large live call and one small one."""
    store = Heavy(POOLED_BYTES, only=[CALL])
    pool = ControlledPool(store, failure)
    if released:
        pool.released.set()
    api = await reader(store, folds=pool, **settings)
    await put(store, [BEGUN, SAID])
    await put(store, [event("call.started", call="call-1")])
    return Setup(api, pool, store)


async def test_a_large_call_is_served_like_any_other() -> None:
    test = await setup()
    rendered = render(fold(decoded([BEGUN, SAID]), book()).record)

    response = await test.api.get(PATH)

    assert (response.status_code, response.json()["data"]["call_id"]) == (200, "call-456")
    assert rendered.body in response.content
    assert response.headers["ETag"] == rendered.etag
    assert response.headers["X-Call-Finality"] == Finality.LIVE
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Content-Length"] == str(len(response.content))
    assert test.pool.started == [CALL]


async def test_the_details_of_a_large_call_are_served_like_any_other() -> None:
    test = await setup()
    details = await read_details(test.store, CALL, book())

    response = await test.api.get(f"{PATH}/details")

    assert details is not None
    assert response.content == (
        b'{"message":"Call details retrieved successfully","status":"success","error":null,"data":%b}' % details.body
    )
    assert (response.headers["ETag"], response.headers["X-Call-Finality"]) == (details.etag, Finality.LIVE)
    assert test.pool.started == [CALL]


async def test_record_and_details_share_the_capacity() -> None:
    test = await setup(released=False, pool_queue=1)
    readers = [asyncio.create_task(test.api.get(path)) for path in (PATH, f"{PATH}/details")]
    await eventually(lambda: len(test.pool.started) == 2)

    rejected = [await test.api.get(path) for path in (PATH, f"{PATH}/details")]

    assert [(response.status_code, response.headers["Retry-After"]) for response in rejected] == [(503, "5")] * 2
    test.pool.released.set()
    assert [response.status_code for response in await asyncio.gather(*readers)] == [200, 200]


async def test_a_record_that_the_client_has_is_not_sent_again() -> None:
    test = await setup()
    etag = (await test.api.get(PATH)).headers["ETag"]

    response = await test.api.get(PATH, {"If-None-Match": etag})

    assert (response.status_code, response.content) == (304, b"")


async def test_a_final_record_that_is_not_stored_is_revalidated_without_a_fold() -> None:
    test = await setup()
    await test.store.mark_stale([update()])
    (lease,) = await test.store.lease([CALL], next(tokens))
    await test.store.store_results([(lease, too_large())])

    response = await test.api.get(PATH, {"If-None-Match": result().etag})

    assert (response.status_code, response.headers["X-Call-Finality"]) == (304, Finality.FINAL)
    assert test.pool.started == []


async def test_small_calls_are_read_while_a_large_one_is_folded() -> None:
    test = await setup(released=False)
    reading = asyncio.create_task(test.api.get(PATH))
    await eventually(lambda: test.pool.started)

    response = await test.api.get(SMALL)

    assert response.status_code == 200
    assert not reading.done()
    test.pool.released.set()
    assert (await reading).status_code == 200


async def test_requests_during_a_fold_share_the_next_fold_and_see_new_events() -> None:
    test = await setup(released=False)
    first = asyncio.create_task(test.api.get(PATH))
    await eventually(lambda: test.pool.started)

    await put(test.store, [ENDED])
    others = [asyncio.create_task(test.api.get(PATH)) for _ in range(3)]
    await turns(1_000)
    test.pool.released.set()

    assert (await first).headers["X-Call-Finality"] == Finality.LIVE
    assert [(await other).headers["X-Call-Finality"] for other in others] == [Finality.SETTLING] * 3
    assert (len(test.pool.started), test.pool.most_running) == (2, 1)


async def test_requests_beyond_the_capacity_are_asked_to_try_again() -> None:
    test = await setup(released=False, pool_queue=1)
    readers = [asyncio.create_task(test.api.get(PATH)) for _ in range(5)]
    await eventually(lambda: sum(reader.done() for reader in readers) == 3)

    rejected = [reader.result() for reader in readers if reader.done()]
    small = await test.api.get(SMALL)
    test.pool.released.set()
    responses = await asyncio.gather(*readers)

    assert {response.status_code for response in rejected} == {503}
    assert {response.headers["Retry-After"] for response in rejected} == {"5"}
    assert small.status_code == 200
    assert sorted(response.status_code for response in responses) == [200, 200, 503, 503, 503]
    assert (await test.api.get(PATH)).status_code == 200


async def test_a_request_waits_no_longer_than_its_timeout() -> None:
    test = await setup(released=False, api_fold_timeout_ms=100)

    response = await test.api.get(PATH)

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    test.pool.released.set()

    async def is_served() -> bool:
        return (await test.api.get(PATH)).status_code == 200

    await eventually(is_served)


async def test_folds_whose_requests_timed_out_still_use_capacity() -> None:
    store = Heavy(POOLED_BYTES)
    pool = ControlledPool(store)
    api = await reader(store, folds=pool, api_fold_timeout_ms=100, pool_queue=1)
    for number in range(5):
        await put(store, [event("call.started", call=f"call-{number}")])

    responses = [await api.get(f"/api/calls/call-{number}") for number in range(5)]

    assert {response.status_code for response in responses} == {503}
    assert pool.started == ["org-789/call-0", "org-789/call-1"]
    pool.released.set()
    await eventually(lambda: not pool.running)
    assert (await api.get(SMALL)).status_code == 200


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (ProcessEnded("SIGKILL ended its process"), 503),
        (PoolUnavailable("no process can be started"), 503),
        (StoreUnavailable("mongodb"), 503),
        (OutOfMemory("CALLFOLD_POOL_MEMORY_MB=64"), 500),
        (CallBroken(CALL), 500),
        (FoldFailed("KeyError"), 500),
    ],
)
async def test_a_failed_fold_is_an_error_response_and_frees_its_slot(failure: Exception, status: int) -> None:
    test = await setup(failure=failure, pool_queue=0)

    with capture_logs() as lines:
        responses = [await test.api.get(PATH) for _ in range(3)]

    assert {response.status_code for response in responses} == {status}
    assert responses[0].json()["status"] == "error"
    assert beside_requests(lines)
    test.pool.failure = None
    assert (await test.api.get(PATH)).status_code == 200


async def test_the_log_names_the_setting_that_limits_the_fold() -> None:
    test = await setup(failure=OutOfMemory("its fold needs more than CALLFOLD_POOL_MEMORY_MB=64"))

    with capture_logs() as lines:
        await test.api.get(PATH)

    assert [(line["event"], line["call"], line["why"]) for line in beside_requests(lines)] == [
        ("call_broken", CALL, "its fold needs more than CALLFOLD_POOL_MEMORY_MB=64")
    ]


async def test_that_a_call_is_large_is_cached() -> None:
    test = await setup()
    asked: list[str] = []
    ids = test.store.ids

    async def count(call: str) -> list[str]:
        asked.append(call)
        return await ids(call)

    test.store.ids = count  # type: ignore[method-assign]

    for _ in range(3):
        await test.api.get(PATH)

    assert asked == [CALL]
