"""The pages `/calls` and `/calls/broken`."""

import asyncio
import re
import secrets
from dataclasses import replace
from typing import Any

from cachetools import TTLCache
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.console.access.sessions import Session
from services.console.calls.broken import MOST_COUNTED, broken_calls, rebuild
from services.console.calls.cursors import Cursors
from services.console.calls.filters import AGES, STATES, STATUSES, cursor_of, filter_of
from services.console.calls.listing import MOST_PASSED_BY, PAGE, listing
from services.console.calls.rows import call_of_field
from services.console.outages import away
from services.console.rendering import Pages
from shared.process.clock import now_ms
from shared.process.logs import logger
from shared.store.ports import Store, StoreUnavailable

_MOST_FORMS = 10_000
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")
_FORM_SECONDS = 12 * 3_600.0
_CHOICES: dict[str, Any] = {"statuses": STATUSES, "finalities": tuple(STATES), "ages": tuple(AGES)}

log = logger(__name__)


class CallLists:
    """The lists of calls, and rebuilds of broken ones."""

    def __init__(self, store: Store, pages: Pages) -> None:
        self._store = store
        self._pages = pages
        self._sent: TTLCache[str, int] = TTLCache(_MOST_FORMS, _FORM_SECONDS)
        """How many calls each form that was sent has rebuilt, by its one-time token."""
        self._rebuilding = asyncio.Lock()
        self._cursors = Cursors()

    async def calls(self, request: Request, session: Session) -> Response:
        chosen, now = filter_of(request.query_params), now_ms()
        chosen = replace(chosen, after=self._cursors.known(chosen.after))
        page, missing = None, None
        try:
            page = await listing(self._store, chosen, now)
        except StoreUnavailable as error:
            missing = f"{away(error)} The calls are shown again afterwards."
        shown: dict[str, Any] = {"page": page, "missing": missing, "filter": chosen, "most": MOST_PASSED_BY}
        shown["following"] = self._cursors.shown(session.account.role, page.following if page else None)
        return self._pages.page("calls.html", session, **shown, **_CHOICES)

    async def broken(self, request: Request, session: Session) -> Response:
        after, page, missing = self._cursors.known(cursor_of(request.query_params)), None, None
        try:
            page = await broken_calls(self._store, after)
        except StoreUnavailable as error:
            missing = f"{away(error)} The calls are shown again afterwards."
        rebuilt = self._sent.get(request.query_params.get("done", ""))
        shown: dict[str, Any] = {
            "page": page,
            "following": self._cursors.shown(session.account.role, page.following if page else None),
            "missing": missing,
            "rebuilt": rebuilt,
            "most": MOST_COUNTED,
            "now": now_ms(),
        }
        return self._pages.page("broken.html", session, once=secrets.token_urlsafe(24), **shown)

    async def rebuild(self, request: Request, session: Session) -> Response:
        """Have the selected calls folded again; the same form, sent again, does nothing more."""
        form = await request.form()
        calls, once = _selected(form), str(form.get("once", ""))
        if not calls or not _TOKEN.fullmatch(once):
            raise HTTPException(400, "Select the calls to be rebuilt first.")
        async with self._rebuilding:
            if once not in self._sent:
                await self._rebuild(once, calls, session)
        return RedirectResponse(f"/calls/broken?done={once}", 303)

    async def _rebuild(self, once: str, calls: list[str], session: Session) -> None:
        try:
            done = await rebuild(self._store, calls)
        except StoreUnavailable as error:
            raise HTTPException(503, f"{away(error)} Load the page again later.") from None
        self._sent[once] = len(done)
        log.info("calls_rebuilt", account=session.account.name, calls=done, asked=len(calls))


def _selected(form: FormData) -> list[str]:
    """Return the call whose own button was pressed, else those that are ticked."""
    chosen = form.getlist("only") or form.getlist("call")
    return [call_of_field(each) for each in dict.fromkeys(chosen) if each and isinstance(each, str)][:PAGE]
