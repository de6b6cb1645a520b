"""One call's page: reads the call, here or in the pool, and renders it."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from services.console.access.guard import is_refresh
from services.console.access.sessions import Session
from services.console.call.explain.explanation import EFFORT
from services.console.call.explain.shown import ShownExplanation
from services.console.call.page import CallPage
from services.console.calls.one_call.large import Busy, Known, LargeAnswers, Pool
from services.console.calls.one_call.reading import LARGE_EFFORT, read_explanation, read_page
from services.console.calls.rows import row_of
from services.console.outages import away
from services.console.rendering import Pages
from shared.calls.large_calls import Answer, FoldFailed, PoolUnavailable, ProcessEnded
from shared.calls.read_call import CallBroken, present_state
from shared.contract.ids import call_key
from shared.fold.prices import PriceBook
from shared.process.logs import logger
from shared.process.single_flight import SingleFlight
from shared.store.ids import size_of
from shared.store.ports import Store, StoreUnavailable

POOLED_BYTES = 512 * 1024
"""From this many bytes of log on a call is computed in the pool: here it would keep other pages waiting."""

WAIT_SECONDS = 1.0
"""A page says that it is being computed rather than to let its reader wait longer."""

_BROKEN = "The call cannot be folded. It is listed under “Broken and stale calls”, with what can be done."
_MOST_COMPUTED = 8
_LONGEST_NAME = 300

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a request asks for."""

    call: str
    page: int
    explain: str | None


class CallPages:
    """The page `/calls/{organization}/{call}`."""

    def __init__(self, store: Store, book: PriceBook, pool: Pool, pages: Pages) -> None:
        self._store = store
        self._book = book
        self._pages = pages
        self._here = SingleFlight(lambda call: read_page(store, call, book))
        self._large = LargeAnswers(pool, capacity=_MOST_COMPUTED, wait_seconds=WAIT_SECONDS)

    async def call(self, request: Request, session: Session) -> Response:
        """Return the page; `?page=` turns the pages of its transcript, `?explain=` tells where a value comes from."""
        wanted = _wanted(request)
        if session.opens(f"call {wanted.call}", again=is_refresh(request)):
            log.info("call_opened", account=session.account.name, call=wanted.call)
        try:
            return await self._answer(wanted, session)
        except StoreUnavailable as error:
            raise HTTPException(503, f"{away(error)} Load the page again later.") from None
        except (CallBroken, FoldFailed) as error:
            log.warning("call_broken", call=wanted.call, why=str(error), cause=type(error.__cause__).__name__)
            raise HTTPException(500, _BROKEN) from None
        except (Busy, ProcessEnded, PoolUnavailable) as error:
            log.warning("large_call_not_read", call=wanted.call, why=str(error) or "busy")
            raise HTTPException(503, "The call is large, and no process is free to fold it. Try again soon.") from None

    async def _answer(self, wanted: _Wanted, session: Session) -> Response:
        ids = await self._store.ids(wanted.call)
        size = sum(map(size_of, ids))
        large = size >= POOLED_BYTES
        found = await self._from_pool(wanted.call, ids, "page", read_page) if large else await self._known(wanted.call)
        if found.value is None and found.computing:
            summary = (await self._store.summaries([wanted.call])).get(wanted.call)
            known = None if summary is None else row_of(summary)
            return self._pages.page("call/computing.html", session, call=wanted.call, megabytes=size / 1e6, known=known)
        if found.value is None:
            raise HTTPException(404, "There is no such call.")
        page: CallPage = found.value
        explained, explaining = await self._explained(wanted, page, ids, large=large)
        number = min(wanted.page, len(page.pages))
        render = partial(
            self._pages.page,
            "call/call.html",
            session,
            page=page,
            lines=page.lines(number),
            number=number,
            explained=explained,
            explaining=explaining,
            asked=wanted.explain is not None,
            computing=found.computing,
            large=large,
        )
        # In a thread: a page of a long transcript takes a tenth of a second.
        return await to_thread.run_sync(render)

    async def _known(self, call: str) -> Known:
        return Known(await self._here.get(call), computing=False)

    async def _from_pool(self, call: str, ids: Any, what: str, answer: Answer) -> Known:
        state = await present_state(self._store, call)
        if state is None:
            self._large.forget(call)
            return Known(None, computing=False)
        version: Hashable = (hash(tuple(ids)), state.state, state.opted_out)
        return await self._large.get(call, what, answer, version, keep=not state.opted_out)

    async def _explained(
        self, wanted: _Wanted, page: CallPage, ids: Any, *, large: bool
    ) -> tuple[ShownExplanation | None, bool]:
        """Return the explanation that is asked for, None without one, and whether it is still being computed."""
        name = wanted.explain
        if name is None:
            return None, False
        answer = partial(read_explanation, name=name, effort=LARGE_EFFORT if large else EFFORT, zero=page.zero)
        if large:
            found = await self._from_pool(wanted.call, ids, f"explain {name}", answer)
        else:
            found = Known(await answer(self._store, wanted.call, self._book), computing=False)
        return found.value, found.computing


def _wanted(request: Request) -> _Wanted:
    page = request.query_params.get("page", "1")
    explain = request.query_params.get("explain")
    return _Wanted(
        call_key(request.path_params["organization"], request.path_params["call"]),
        max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 7 else 1,  # noqa: PLR2004 - no page has
        explain[:_LONGEST_NAME] if explain else None,
    )
