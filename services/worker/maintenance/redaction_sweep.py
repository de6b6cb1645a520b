"""The sweep: finds what is raw of calls that opted out, and redacts it.

A batch redacts its own documents and the folder all others. What is left is what a batch inserted that ended between
insert and look and was not delivered again as it was.
"""

from collections.abc import Callable, Sequence

from services.worker.maintenance.retention import Owned
from shared.calls.fold_call import redact_log
from shared.process import metrics
from shared.process.clock import now_ms
from shared.process.logs import logger
from shared.store.models import CallArrival, CallUpdate
from shared.store.ports import Store, StoreUnavailable

log = logger(__name__)

_SINCE_MS = 86_400_000
_QUIET_MS = 15 * 60 * 1000  # before that a batch or the folder may be about to do it
_PASS_MS = 3_600_000
_PAGE = 100


class RedactionSweep:
    """Goes over the opted-out calls of the last day once an hour, a page at a time; `clock`: Unix milliseconds."""

    def __init__(self, store: Store, owned: Owned, *, clock: Callable[[], int] = now_ms, page: int = _PAGE) -> None:
        self._store = store
        self._owned = owned
        self._clock = clock
        self._page = page
        self._next_pass = 0
        self._after: tuple[int, str] | None = None

    async def act(self) -> None:
        """Sweep one page.

        Raises:
            StoreUnavailable: the store does not answer; the page is swept the next time.
        """
        now, owned = self._clock(), self._owned()
        if self._after is None and now >= self._next_pass:
            self._after, self._next_pass = (now - _SINCE_MS, ""), now + _PASS_MS
        if self._after is None or not owned:
            return
        found = await self._store.opted_out_calls(owned, self._after, now - _QUIET_MS, self._page)
        await self._sweep(found)
        self._after = (found[-1].last_arrival, found[-1].call) if len(found) == self._page else None

    async def _sweep(self, calls: Sequence[CallArrival]) -> None:
        raw = await self._store.unredacted([each.call for each in calls])
        for each in calls:
            if each.call in raw and await self._redact(each.call):
                metrics.SWEEP_REDACTED_CALLS.inc()
                # Its record may not know of what whoever inserted it never came to mark.
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
