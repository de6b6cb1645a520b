"""Large calls in the API: folded elsewhere, one fold at a time per call, and not for too many readers at once."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from structlog.testing import capture_logs

from shared.calls.fold_call import StoredFold, render
from shared.calls.large_calls import FoldFailed, LargeReading, OutOfMemory, PoolUnavailable, ProcessEnded
from shared.calls.read_call import POOLED_BYTES, CallBroken, Finality
from shared.fold.fold import fold
from shared.fold_pool.in_process import InProcessFolds
from shared.store.models import Lease
from shared.store.ports import StoreUnavailable
from tests.support.api.client import Reader, put, reader
from tests.support.events.makers import book, decoded, event
from tests.support.eventually import eventually
from tests.support.store.makers import CALL, result, tokens, too_large, update
from tests.support.worker.fold_cases import BEGUN, ENDED, SAID, Heavy

PATH = "/api/calls/call-456"
NEIGHBOUR = "/api/calls/call-1"


@dataclass
class CallEvents:
    """A pool that does as it is told: each fold waits until it may, and fails if it is told how."""

    store_in: Heavy
    failure: Exception | None = None
    may: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[str] = field(default_factory=list)
    at_work: int = 0
    most_at_work: int = 0

    async def store(self, lease: Lease) -> StoredFold:
        raise NotImplementedError(lease)

    async def read(self, call: str) -> LargeReading | None:
        self.begun.append(call)
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        reading = await InProcessFolds(self.store_in, book()).read(call)
        await self.may.wait()
        self.at_work -= 1
        if self.failure:
            raise self.failure
        return reading


@dataclass
class Made:
    api: Reader
    pool: CallEvents
    store: Heavy


async def made(*, at_once: bool = True, failure: Exception | None = None, **settings: Any) -> Made:
    """Return an API with one call that is large and goes on, and one that is not."""
    store = Heavy(POOLED_BYTES, only=[CALL])
    pool = CallEvents(store, failure)
    if at_once:
        pool.may.set()
    api = await reader(store, folds=pool, **settings)
    await put(store, [BEGUN, SAID])
    await put(store, [event("call.started", call="call-1")])
    return Made(api, pool, store)


async def test_a_large_call_is_answered_like_any_other() -> None:
    large = await made()
    rendered = render(fold(decoded([BEGUN, SAID]), book()).record)

    answer = await large.api.get(PATH)

    assert (answer.status_code, answer.json()["data"]["call_id"]) == (200, "call-456")
    assert rendered.body in answer.content
    assert answer.headers["ETag"] == rendered.etag
    assert answer.headers["X-Call-Finality"] == Finality.LIVE
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert large.pool.begun == [CALL]


async def test_what_the_client_has_is_not_sent_again() -> None:
    large = await made()
    etag = (await large.api.get(PATH)).headers["ETag"]

    answer = await large.api.get(PATH, {"If-None-Match": etag})

    assert (answer.status_code, answer.content) == (304, b"")


async def test_a_final_record_that_was_not_stored_is_known_by_its_tag_without_a_fold() -> None:
    large = await made()
    await large.store.mark_stale([update()])
    (lease,) = await large.store.lease([CALL], next(tokens))
    await large.store.store_results([(lease, too_large())])

    answer = await large.api.get(PATH, {"If-None-Match": result().etag})

    assert (answer.status_code, answer.headers["X-Call-Finality"]) == (304, Finality.FINAL)
    assert large.pool.begun == []


async def test_small_calls_are_read_while_a_large_one_is_folded() -> None:
    large = await made(at_once=False)
    reading = asyncio.create_task(large.api.get(PATH))
    await eventually(lambda: large.pool.begun)

    answer = await large.api.get(NEIGHBOUR)

    assert answer.status_code == 200
    assert not reading.done()
    large.pool.may.set()
    assert (await reading).status_code == 200


async def test_readers_who_come_during_a_fold_share_the_next_and_miss_nothing() -> None:
    large = await made(at_once=False)
    first = asyncio.create_task(large.api.get(PATH))
    await eventually(lambda: large.pool.begun)

    await put(large.store, [ENDED])
    others = [asyncio.create_task(large.api.get(PATH)) for _ in range(3)]
    await asyncio.sleep(0.1)
    large.pool.may.set()

    assert (await first).headers["X-Call-Finality"] == Finality.LIVE
    assert [(await other).headers["X-Call-Finality"] for other in others] == [Finality.SETTLING] * 3
    assert (len(large.pool.begun), large.pool.most_at_work) == (2, 1)


async def test_readers_who_find_no_place_are_told_to_come_again() -> None:
    large = await made(at_once=False, pool_queue=1)
    readers = [asyncio.create_task(large.api.get(PATH)) for _ in range(5)]
    await eventually(lambda: sum(reader.done() for reader in readers) == 3)

    refused = [reader.result() for reader in readers if reader.done()]
    neighbour = await large.api.get(NEIGHBOUR)
    large.pool.may.set()
    answers = await asyncio.gather(*readers)

    assert {answer.status_code for answer in refused} == {503}
    assert {answer.headers["Retry-After"] for answer in refused} == {"5"}
    assert neighbour.status_code == 200
    assert sorted(answer.status_code for answer in answers) == [200, 200, 503, 503, 503]
    assert (await large.api.get(PATH)).status_code == 200


async def test_a_reader_waits_no_longer_than_is_set() -> None:
    large = await made(at_once=False, api_fold_timeout_ms=100)

    answer = await large.api.get(PATH)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    large.pool.may.set()
    assert (await large.api.get(PATH)).status_code == 200


async def test_folds_that_nobody_waits_for_any_longer_are_not_heaped_up() -> None:
    store = Heavy(POOLED_BYTES)
    pool = CallEvents(store)
    api = await reader(store, folds=pool, api_fold_timeout_ms=100, pool_queue=1)
    for number in range(5):
        await put(store, [event("call.started", call=f"call-{number}")])

    answers = [await api.get(f"/api/calls/call-{number}") for number in range(5)]

    assert {answer.status_code for answer in answers} == {503}
    assert pool.begun == ["org-789/call-0", "org-789/call-1"]
    pool.may.set()
    await eventually(lambda: not pool.at_work)
    assert (await api.get(NEIGHBOUR)).status_code == 200


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
async def test_a_fold_that_fails_is_an_answer_and_gives_its_place_back(failure: Exception, status: int) -> None:
    large = await made(failure=failure, pool_queue=0)

    with capture_logs() as lines:
        answers = [await large.api.get(PATH) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {status}
    assert answers[0].json()["status"] == "error"
    assert lines
    large.pool.failure = None
    assert (await large.api.get(PATH)).status_code == 200


async def test_the_log_names_the_setting_that_a_fold_has_met() -> None:
    large = await made(failure=OutOfMemory("its fold needs more than CALLFOLD_POOL_MEMORY_MB=64"))

    with capture_logs() as lines:
        await large.api.get(PATH)

    assert [(line["event"], line["call"], line["why"]) for line in lines] == [
        ("call_broken", CALL, "its fold needs more than CALLFOLD_POOL_MEMORY_MB=64")
    ]


async def test_the_log_of_a_large_call_is_looked_at_once_in_a_while() -> None:
    large = await made()
    asked: list[str] = []
    ids = large.store.ids

    async def count(call: str) -> list[str]:
        asked.append(call)
        return await ids(call)

    large.store.ids = count  # type: ignore[method-assign]

    for _ in range(3):
        await large.api.get(PATH)

    assert asked == [CALL]
