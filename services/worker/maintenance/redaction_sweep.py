"""The redaction sweep: it finds logs of opted-out calls with unredacted content, and redacts them.

A batch redacts its own documents, and a fold all others. What is left was inserted by a batch that ended between insert
and read of the states, and was not delivered again as it was.
"""

from collections.abc import Callable, Sequence

from services.worker import metrics
from services.worker.maintenance.retention import Owned
from shared.calls.fold_call import redact_log
from shared.process.clock import now_ms
from shared.process.logs import logger
from shared.store.models import CallArrival, CallUpdate
from shared.store.ports import Store, StoreUnavailable

log = logger(__name__)

_SINCE_MS = 86_400_000
_MIN_AGE_MS = 15 * 60 * 1000  # earlier, a batch or a fold may be about to redact it
_PASS_MS = 3_600_000
_PAGE = 100


class RedactionSweep:
    """Checks the opted-out calls of the last day once an hour, a page at a time; `clock` returns Unix milliseconds."""

    def __init__(self, store: Store, owned: Owned, *, clock: Callable[[], int] = now_ms, page: int = _PAGE) -> None:
        self._store = store
        self._owned = owned
        self._clock = clock
        self._page = page
        self._next_pass = 0
        self._after: tuple[int, str] | None = None

    async def run(self) -> None:
        """Check one page.

        Raises:
            StoreUnavailable: the store does not answer; the page is checked the next time.
        """
        now, owned = self._clock(), self._owned()
        if self._after is None and now >= self._next_pass:
            self._after, self._next_pass = (now - _SINCE_MS, ""), now + _PASS_MS
        if self._after is None or not owned:
            return
        page = await self._store.opted_out_calls(owned, self._after, now - _MIN_AGE_MS, self._page)
        await self._sweep(page)
        self._after = (page[-1].last_arrival, page[-1].call) if len(page) == self._page else None

    async def _sweep(self, calls: Sequence[CallArrival]) -> None:
        unredacted = await self._store.unredacted([each.call for each in calls])
        for each in calls:
            if each.call in unredacted and await self._redact(each.call):
                metrics.SWEEP_REDACTED_CALLS.inc()
                # Its record may lack what the batch inserted: it ended before it marked the call stale.
                await self._store.mark_stale([CallUpdate(each.call, each.partition, each.last_arrival, stale=True)])

    async def _redact(self, call: str) -> bool:
        try:
            await redact_log(self._store, call, (await self._store.read([call]))[call])
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("redaction_failed", call=call)
            return False
        log.warning("redacted_by_sweep", call=call)
        return True
