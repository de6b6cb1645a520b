"""Many who ask at once, answered by few questions."""

import asyncio
from collections.abc import Collection, Iterable

import pytest

from shared.store.mongo.batched_reads import CONCURRENCY, MOST, BatchedReads
from shared.store.ports import StoreUnavailable


class Asked:
    """Answers with the key in capitals, but knows none that begins with `no`; waits while it must."""

    def __init__(self) -> None:
        self.questions: list[set[str]] = []
        self.may = asyncio.Event()
        self.may.set()
        self.failure: Exception | None = None

    async def __call__(self, keys: Collection[str]) -> dict[str, str]:
        self.questions.append(set(keys))
        await self.may.wait()
        if self.failure:
            raise self.failure
        return {key: key.upper() for key in keys if not key.startswith("no")}


async def all_of(gathering: BatchedReads[str], keys: Iterable[str]) -> list[str | None]:
    return await asyncio.gather(*map(gathering.get, keys))


async def test_each_gets_what_they_asked_for() -> None:
    answers = await all_of(BatchedReads(Asked()), ["a", "b", "none", "a"])

    assert answers == ["A", "B", None, "A"]


async def test_who_asks_at_once_is_answered_by_one_question() -> None:
    asked = Asked()

    await all_of(BatchedReads(asked), map(str, range(MOST)))

    assert asked.questions == [set(map(str, range(MOST)))]


async def test_no_question_is_larger_than_it_may_be() -> None:
    asked = Asked()

    await all_of(BatchedReads(asked), map(str, range(3 * MOST + 1)))

    assert [len(question) for question in asked.questions] == [MOST, MOST, MOST, 1]


async def test_who_comes_while_a_question_is_under_way_is_asked_for_by_another() -> None:
    asked = Asked()
    asked.may.clear()
    gathering = BatchedReads(asked)
    first = asyncio.create_task(gathering.get("a"))
    await asyncio.sleep(0.01)

    second = asyncio.create_task(gathering.get("a"))
    await asyncio.sleep(0.01)
    asked.may.set()

    assert [await first, await second] == ["A", "A"]
    assert asked.questions == [{"a"}, {"a"}]


async def test_who_comes_while_all_lanes_are_taken_waits_for_one_with_the_others() -> None:
    asked = Asked()
    asked.may.clear()
    gathering = BatchedReads(asked)
    waiting = []
    for number in range(CONCURRENCY + 5):
        waiting.append(asyncio.create_task(gathering.get(f"{number}")))
        await asyncio.sleep(0.01)

    before = len(asked.questions)
    asked.may.set()
    await asyncio.gather(*waiting)

    assert (before, len(asked.questions)) == (CONCURRENCY, CONCURRENCY + 1)


async def test_what_a_question_fails_with_each_gets_who_asked_and_the_next_is_asked_anew() -> None:
    asked = Asked()
    gathering = BatchedReads(asked)
    away = asked.failure = StoreUnavailable("away")

    failed = await asyncio.gather(*map(gathering.get, "ab"), return_exceptions=True)
    asked.failure = None

    assert failed == [away, away]
    assert await gathering.get("a") == "A"


async def test_who_stops_waiting_takes_the_answer_from_nobody() -> None:
    asked = Asked()
    asked.may.clear()
    gathering = BatchedReads(asked)
    leaving, staying = (asyncio.create_task(gathering.get(key)) for key in "ab")
    await asyncio.sleep(0.01)

    leaving.cancel()
    asked.may.set()

    assert await staying == "B"
    with pytest.raises(asyncio.CancelledError):
        await leaving
