"""Calls for the tests of the fold loop."""

from collections.abc import Collection
from dataclasses import replace

from shared.fold.prices import PriceBook, PriceList
from shared.store.memory.calls import MemoryStore
from shared.store.models import CallUpdate
from tests.support.events.makers import STARTED, Json, book, event
from tests.support.store.makers import CALL, tokens

CREATED, BEGUN, ENDED = event("call.created"), event("call.started"), event("call.ended", at=STARTED + 9_000)
SAID = event("transcript.turn", content="my secret")
OPT_OUT = event("call.updated", opt_out_sensitive_data_storage=True)
MARK = CallUpdate(CALL, 0, STARTED, stale=True)
OTHERS = ["org-789/call-1", "org-789/call-2"]


def ended(call: str, *, at: int = STARTED) -> list[Json]:
    return [event("call.started", call=call, at=at), event("call.ended", call=call, at=at + 1_000)]


async def attempts_of(memory: MemoryStore, call: str = CALL) -> int:
    (lease,) = await memory.lease([call], next(tokens))
    await memory.release([call], lease.token)
    return lease.attempts - 1


class Heavy(MemoryStore):
    """Returns this size for the logs of all calls, or of those that are named."""

    def __init__(self, size: int, only: Collection[str] = (), lease_ms: int = 60_000) -> None:
        super().__init__(lease_ms=lease_ms)
        self._size = size
        self._only = only

    async def sizes(self, calls: Collection[str]) -> dict[str, int]:
        sizes = await super().sizes(calls)
        return {call: self._size if call in (self._only or calls) else size for call, size in sizes.items()}

    async def ids(self, call: str) -> list[str]:
        ids = await super().ids(call)
        return [*ids, f"{call}/heavy/0/0-0-1-{self._size}-0"] if call in (self._only or [call]) else ids


class _Torn(PriceBook):
    def price_list_at(self, moment: int, organization_id: str) -> PriceList:
        if moment == self.price_lists[0].effective:
            raise KeyError(moment)
        return super().price_list_at(moment, organization_id)


def torn(missing: int = STARTED) -> PriceBook:
    """Return a price book without a price list for calls of one moment: they cannot be folded."""
    (prices,) = book().price_lists
    return _Torn("test", [replace(prices, effective=missing)])
