"""The port `LargeCalls` without a process; for tests."""

from typing import Any

from shared.calls.fold_call import StoredFold, store_call
from shared.calls.large_calls import Answer, FoldFailed, LargeReading
from shared.calls.views import READ, View
from shared.fold.prices import PriceBook
from shared.store.models import Lease
from shared.store.ports import Store, StoreUnavailable, Unstorable


class InProcessFolds:
    """Implements `LargeCalls`."""

    def __init__(self, store: Store, book: PriceBook) -> None:
        self._store = store
        self._book = book

    async def store(self, lease: Lease) -> StoredFold:
        try:
            return await store_call(self._store, lease, self._book)
        except (StoreUnavailable, Unstorable):
            raise
        except Exception as error:
            raise FoldFailed(type(error).__name__) from error

    async def read(self, call: str, view: View = View.RECORD) -> LargeReading | None:
        reading = await READ[view](self._store, call, self._book)
        return None if reading is None else LargeReading((reading.body,), reading.etag, reading.finality)

    async def ask(self, call: str, answer: Answer) -> Any:
        return await answer(self._store, call, self._book)
