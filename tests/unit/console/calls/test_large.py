"""What the pool computed of large calls: who waits, what is kept, and what is shown meanwhile."""

import asyncio
from typing import Any

import pytest

from services.console.calls.one_call.large import Busy, Known, LargeAnswers
from shared.calls.large_calls import Answer
from shared.fold.prices import PriceBook
from shared.store.ports import Store, StoreUnavailable

CALL = "org-789/call-456"


class Numbered(int):
    size = 1_000


class SlowPool:
    """Answers with the number of the question when it is let go on."""

    def __init__(self) -> None:
        self.asked = 0
        self.go_on = asyncio.Event()
        self.failure: Exception | None = None

    async def ask(self, _call: str, _answer: Answer) -> Any:
        self.asked += 1
        number = self.asked
        await self.go_on.wait()
        if self.failure is not None:
            raise self.failure
        return Numbered(number)


async def unused(_store: Store, _call: str, _book: PriceBook) -> None: ...


def answers(pool: SlowPool, *, capacity: int = 2) -> LargeAnswers:
    return LargeAnswers(pool, capacity=capacity, wait_seconds=0.01)


async def get(known: LargeAnswers, version: int, *, call: str = CALL, keep: bool = True) -> Known:
    return await known.get(call, "page", unused, version, keep=keep)


async def test_a_request_does_not_wait_for_the_fold_and_the_next_one_has_its_answer() -> None:
    pool = SlowPool()
    known = answers(pool)

    first = await get(known, 1)
    pool.go_on.set()
    await asyncio.sleep(0)
    second = await get(known, 1)

    assert (first, second) == (Known(None, computing=True), Known(1, computing=False))
    assert pool.asked == 1


async def test_what_is_known_is_not_asked_again_until_events_come() -> None:
    pool = SlowPool()
    pool.go_on.set()
    known = answers(pool)

    for _ in range(3):
        await get(known, 1)
    pool.go_on.clear()
    older = await get(known, 2)

    assert pool.asked == 2
    assert older == Known(1, computing=True)


async def test_an_answer_that_was_begun_before_events_came_is_shown_and_computed_anew() -> None:
    pool = SlowPool()
    known = answers(pool)

    await get(known, 1)
    pool.go_on.set()
    await asyncio.sleep(0)
    overtaken = await get(known, 2)
    await asyncio.sleep(0)
    present = await get(known, 2)

    assert (overtaken, present) == (Known(1, computing=True), Known(2, computing=False))


async def test_of_a_call_that_opted_out_nothing_is_kept() -> None:
    pool = SlowPool()
    pool.go_on.set()
    known = answers(pool)

    await get(known, 1)
    pool.go_on.clear()
    opted_out = await get(known, 2, keep=False)
    pool.go_on.set()
    await asyncio.sleep(0)
    await get(known, 2, keep=False)
    pool.go_on.clear()
    again = await get(known, 2, keep=False)

    assert opted_out == Known(None, computing=True)
    assert again == Known(None, computing=True)


async def test_more_than_the_capacity_is_refused_and_another_page_of_the_same_call_is_not() -> None:
    pool = SlowPool()
    known = answers(pool, capacity=1)

    await get(known, 1)
    same = await get(known, 1)

    with pytest.raises(Busy):
        await get(known, 1, call="org-789/another")
    assert same.computing


async def test_a_failure_is_raised_once_and_the_next_request_asks_again() -> None:
    pool = SlowPool()
    pool.failure = StoreUnavailable("away")
    known = answers(pool)

    await get(known, 1)
    pool.go_on.set()
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable):
        await get(known, 1)
    pool.failure = None

    assert await get(known, 1) == Known(2, computing=False)


async def test_what_was_begun_before_the_call_opted_out_is_not_shown() -> None:
    pool = SlowPool()
    known = answers(pool)

    await get(known, 1)
    pool.go_on.set()
    await asyncio.sleep(0)
    begun_before = await get(known, 2, keep=False)
    await asyncio.sleep(0)
    redacted = await get(known, 2, keep=False)

    assert begun_before == Known(None, computing=True)
    assert redacted == Known(2, computing=False)


async def test_of_a_deleted_call_nothing_is_kept() -> None:
    pool = SlowPool()
    pool.go_on.set()
    known = answers(pool)

    await get(known, 1)
    known.forget(CALL)
    pool.go_on.clear()

    assert await get(known, 1) == Known(None, computing=True)


async def test_of_two_requests_that_waited_for_an_old_answer_one_alone_has_it_computed_anew() -> None:
    pool = SlowPool()
    known = answers(pool)
    await get(known, 1)
    both = asyncio.gather(get(known, 2), get(known, 2))
    await asyncio.sleep(0)

    pool.go_on.set()
    await both

    assert pool.asked == 2
