"""Concurrent reads of single keys, joined into few queries."""

import asyncio
from collections.abc import Collection, Iterable

import pytest

from shared.store.mongo.batched_reads import CONCURRENCY, MAX_KEYS, BatchedReads
from shared.store.ports import StoreUnavailable


class Query:
    """Finds the key in capitals, and nothing for a key that begins with `no`; waits while `open` is not set."""

    def __init__(self) -> None:
        self.asked: list[set[str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.failure: Exception | None = None

    async def __call__(self, keys: Collection[str]) -> dict[str, str]:
        self.asked.append(set(keys))
        await self.open.wait()
        if self.failure:
            raise self.failure
        return {key: key.upper() for key in keys if not key.startswith("no")}


async def get_all(reads: BatchedReads[str], keys: Iterable[str]) -> list[str | None]:
    return await asyncio.gather(*map(reads.get, keys))


async def test_each_reader_gets_the_answer_for_its_key() -> None:
    answers = await get_all(BatchedReads(Query()), ["a", "b", "none", "a"])

    assert answers == ["A", "B", None, "A"]


async def test_readers_that_ask_at_once_are_answered_by_one_query() -> None:
    query = Query()

    await get_all(BatchedReads(query), map(str, range(MAX_KEYS)))

    assert query.asked == [set(map(str, range(MAX_KEYS)))]


async def test_a_query_has_a_bounded_number_of_keys() -> None:
    query = Query()

    await get_all(BatchedReads(query), map(str, range(3 * MAX_KEYS + 1)))

    assert [len(keys) for keys in query.asked] == [MAX_KEYS, MAX_KEYS, MAX_KEYS, 1]


async def test_a_reader_that_asks_while_a_query_is_under_way_gets_the_answer_of_another() -> None:
    query = Query()
    query.open.clear()
    reads = BatchedReads(query)
    first = asyncio.create_task(reads.get("a"))
    await asyncio.sleep(0.01)

    second = asyncio.create_task(reads.get("a"))
    await asyncio.sleep(0.01)
    query.open.set()

    assert [await first, await second] == ["A", "A"]
    assert query.asked == [{"a"}, {"a"}]


async def test_readers_that_ask_while_all_queries_are_under_way_share_the_next() -> None:
    query = Query()
    query.open.clear()
    reads = BatchedReads(query)
    waiting = []
    for number in range(CONCURRENCY + 5):
        waiting.append(asyncio.create_task(reads.get(f"{number}")))
        await asyncio.sleep(0.01)

    before = len(query.asked)
    query.open.set()
    await asyncio.gather(*waiting)

    assert (before, len(query.asked)) == (CONCURRENCY, CONCURRENCY + 1)


async def test_a_failed_query_fails_for_each_of_its_readers_and_the_next_one_is_sent() -> None:
    query = Query()
    reads = BatchedReads(query)
    away = query.failure = StoreUnavailable("away")

    failed = await asyncio.gather(*map(reads.get, "ab"), return_exceptions=True)
    query.failure = None

    assert failed == [away, away]
    assert await reads.get("a") == "A"


async def test_a_cancelled_reader_takes_the_answer_from_no_other() -> None:
    query = Query()
    query.open.clear()
    reads = BatchedReads(query)
    leaving, staying = (asyncio.create_task(reads.get(key)) for key in "ab")
    await asyncio.sleep(0.01)

    leaving.cancel()
    query.open.set()

    assert await staying == "B"
    with pytest.raises(asyncio.CancelledError):
        await leaving
