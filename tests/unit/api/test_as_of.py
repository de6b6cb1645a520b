"""`X-Callfold-As-Of`: until which arrival all events are in an answer."""

from collections.abc import Mapping

import pytest

from services.api import as_of as as_of_module
from services.api.as_of import AS_OF, AsOf
from shared.contract.timestamps import milliseconds
from shared.kafka.partitioner import partition_of
from shared.store.memory.calls import MemoryStore
from shared.store.models import StoredCall, Watermark
from shared.store.ports import StoreUnavailable
from tests.support.api.client import Reader, break_call, put, reader
from tests.support.events.makers import STARTED, event
from tests.support.events.seed_call import seed_call
from tests.support.eventually import eventually

CALL = "call-456"
PATH = f"/api/calls/{CALL}"
PARTITIONS = 12
OWN = partition_of(CALL, PARTITIONS)
ARRIVAL = 1_790_000_000_123
TEXT = "2026-09-21T14:13:20.123Z"


class ChangingStore(MemoryStore):
    """Its watermark moves on, and is read by the API, before a call is found; it fails while it is `unavailable`."""

    def __init__(self) -> None:
        super().__init__()
        self.unavailable = False
        self.reads = 0

    async def watermarks(self) -> Mapping[int, Watermark]:
        if self.unavailable:
            raise StoreUnavailable
        self.reads += 1
        return await super().watermarks()

    async def find(self, call: str) -> StoredCall | None:
        await self.put_watermarks({OWN: ARRIVAL + 5_000}, PARTITIONS)
        read = self.reads
        await eventually(lambda: self.reads > read + 1)
        return await super().find(call)


async def header(store: MemoryStore, call_id: str = CALL) -> str | None:
    """Return what the header is after the watermarks were read."""
    as_of = AsOf(store, timeout=1)
    await as_of.refresh()
    return as_of.header(call_id).get(AS_OF)


async def as_of(api: Reader, path: str, headers: dict[str, str] | None = None) -> tuple[int, str | None]:
    response = await api.get(path, headers)
    return response.status_code, response.headers.get(AS_OF)


async def knows(api: Reader) -> bool:
    return (await as_of(api, PATH))[1] is not None


async def test_every_answer_about_a_call_has_it_and_no_other_one() -> None:
    api = await reader()
    await put(api.store, [*seed_call(), event("call.ended", at=STARTED + 300_000)], final=True)
    await put(api.store, [event("call.started", call="call-live")])
    await break_call(api.store, "org-789/broken")
    await api.store.put_watermarks(dict.fromkeys(range(PARTITIONS), ARRIVAL), PARTITIONS)

    async with api.app.router.lifespan_context(api.app):
        await eventually(lambda: knows(api))
        with_it = [
            await as_of(api, path, headers)
            for path in (PATH, "/api/calls/call-live", "/api/calls/none")
            for path in (path, f"{path}/details")
            for headers in ({}, {"If-None-Match": "*"})
        ]
        without = [
            await as_of(api, path, headers)
            for path, headers in (
                (PATH, {"X-API-SECRET": "wrong"}),
                ("/api/calls/%00", {}),
                ("/api/calls/broken", {}),
                ("/healthz", {}),
            )
        ]

    assert with_it == [(200, TEXT), (304, TEXT)] * 4 + [(404, TEXT)] * 4
    assert without == [(401, None), (400, None), (500, None), (200, None)]


async def test_it_was_known_before_the_call_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_of_module, "REFRESH_SECONDS", 0.0)
    store = ChangingStore()
    api = await reader(store)
    await put(store, seed_call())
    await store.put_watermarks({OWN: ARRIVAL}, PARTITIONS)

    async with api.app.router.lifespan_context(api.app):
        await eventually(lambda: store.reads > 1)
        answers = [await as_of(api, PATH) for _ in range(2)]

    assert answers == [(200, TEXT), (200, TEXT.replace("20.123", "25.123"))]


async def test_it_is_the_watermark_of_the_partition_of_the_call() -> None:
    store = MemoryStore()
    await store.put_watermarks({partition: ARRIVAL - 1_000 * (partition != OWN) for partition in range(12)}, PARTITIONS)

    assert await header(store) == TEXT
    assert milliseconds(TEXT) == ARRIVAL


async def test_without_watermarks_it_is_left_out() -> None:
    assert await header(MemoryStore()) is None


@pytest.mark.parametrize("until", [0, -1, 2**62])
async def test_a_watermark_that_is_no_time_is_left_out(until: int) -> None:
    store = MemoryStore()
    await store.put_watermarks({OWN: until}, PARTITIONS)

    assert await header(store) is None


async def test_of_a_partition_without_a_watermark_nothing_is_known() -> None:
    store = MemoryStore()
    await store.put_watermarks({each: ARRIVAL for each in range(PARTITIONS) if each != OWN}, PARTITIONS)

    assert await header(store) is None


async def test_while_workers_disagree_about_the_partitions_it_is_the_least_of_all() -> None:
    store = MemoryStore()
    await store.put_watermarks({each: ARRIVAL + each for each in range(12)}, 12)
    await store.put_watermarks({each: ARRIVAL + each for each in range(6, 24)}, 24)

    assert await header(store) == TEXT


async def test_while_an_added_partition_has_no_watermark_nothing_is_known() -> None:
    store = MemoryStore()
    await store.put_watermarks(dict.fromkeys(range(12), ARRIVAL), 12)
    await store.put_watermarks({12: ARRIVAL}, 24)

    assert await header(store) is None


async def test_while_the_store_does_not_answer_the_last_one_stays() -> None:
    store = ChangingStore()
    await store.put_watermarks({OWN: ARRIVAL}, PARTITIONS)
    known = AsOf(store, timeout=1)
    await known.refresh()
    store.unavailable = True

    with pytest.raises(StoreUnavailable):
        await known.refresh()

    assert known.header(CALL) == {AS_OF: TEXT}
