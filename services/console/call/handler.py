"""One call's page: reads the call, and renders it."""

from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from services.console.access.guard import REFRESH_HEADER
from services.console.access.sessions import Session
from services.console.call.page import call_page
from services.console.rendering import Pages
from shared.calls.read_call import CachedReads, CallBroken, Large, Reading
from shared.calls.read_details import DetailsReads
from shared.contract.ids import call_key
from shared.fold.prices import PriceBook
from shared.process.logs import logger
from shared.store.ports import Store, StoreUnavailable

log = logger(__name__)


class CallPages:
    """The page `/calls/{organization}/{call}`."""

    def __init__(self, store: Store, book: PriceBook, pages: Pages) -> None:
        self._pages = pages
        self._records = CachedReads(store, book)
        self._details = DetailsReads(store, book)

    async def call(self, request: Request, session: Session) -> Response:
        organization, call = request.path_params["organization"], request.path_params["call"]
        key = call_key(organization, call)
        if REFRESH_HEADER not in request.headers:
            log.info("call_opened", account=session.account.name, call=key)
        try:
            record, details = await self._records.read(key), await self._details.read(key)
        except StoreUnavailable:
            raise HTTPException(503, "MongoDB does not answer. Load the page again when it does.") from None
        except CallBroken:
            raise HTTPException(500, "The call cannot be folded: see `callfold rebuild --broken`.") from None
        if record is None or details is None:
            raise HTTPException(404, "There is no such call.")
        if isinstance(record, Large) or isinstance(details, Large):
            raise HTTPException(503, "The call is too large for this page.")
        return self._pages.page("call.html", session, page=_page_of(record, details))


def _page_of(record: Reading, details: Reading) -> Any:
    return call_page(orjson.loads(record.body), orjson.loads(details.body), record.finality)
