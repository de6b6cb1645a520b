"""`GET /api/calls/{callId}`: the call's record, as the store or the fold rendered it."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.responses import Response

from services.api.authentication import KEY_HEADER, SECRET_HEADER, Authentication
from services.api.availability import Availability
from services.api.conditional import holds
from services.api.errors import call_broken, call_not_found, invalid_call_id
from shared.cost import PriceBook
from shared.logs import logger
from shared.reading import CallBroken, Reading, read_call
from shared.store.log import call_key
from shared.store.port import Store

PATH = "/api/calls/{callId}"
RETRIEVED = "Call retrieved successfully"
FINALITY = "X-Call-Finality"
CACHING = "private, no-cache"
VARY = f"{KEY_HEADER}, {SECRET_HEADER}"

_OPENING = b'{"message":"%b","status":"success","error":null,"data":' % RETRIEVED.encode()
_MAX_CHARACTERS = 256
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_REPLACEMENT = "\ufffd"

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Calls:
    """The route and what it needs; `patience` is how many seconds a request may wait for the store in all."""

    store: Store
    book: PriceBook
    authentication: Authentication
    availability: Availability
    patience: float

    async def get(self, request: Request) -> Response:
        """Return the record of the call as it stands, of a call that goes on too."""
        async with self.availability.within(self.patience):
            organization = await self.authentication.organization(request.headers)
            call_id = _call_id(request)
            reading = await self._read(call_key(organization, call_id), request)
        if reading is None:
            raise call_not_found(call_id)
        return _answer(reading, request.headers.getlist("If-None-Match"))

    async def _read(self, call: str, request: Request) -> Reading | None:
        try:
            return await read_call(self.store, call, self.book)
        except CallBroken as error:
            request_id = request.state.request_id
            log.exception("call_broken", call=call, request_id=request_id)
            raise call_broken(request_id) from error


def _answer(reading: Reading, if_none_match: list[str]) -> Response:
    headers = {"ETag": reading.etag, FINALITY: reading.finality, "Cache-Control": CACHING, "Vary": VARY}
    if if_none_match and holds(if_none_match, reading.etag):
        return Response(None, HTTPStatus.NOT_MODIFIED, headers)
    # The record is JSON already: to parse it and write it again would take most of the time of an answer.
    return Response(b"%b%b}" % (_OPENING, reading.body), HTTPStatus.OK, headers, "application/json")


def _call_id(request: Request) -> str:
    """Return the call's id from the path.

    Raises:
        Refused: no call can have it (400).
    """
    call_id: str = request.path_params["callId"]
    if len(call_id) > _MAX_CHARACTERS or _CONTROL.search(call_id) or not _is_utf8(call_id, request):
        raise invalid_call_id()
    return call_id


def _is_utf8(call_id: str, request: Request) -> bool:
    """Tell whether the path is UTF-8: servers replace what is not, and what they put in may also have been meant."""
    if _REPLACEMENT not in call_id:
        return True
    try:
        unquote_to_bytes(request.scope["raw_path"]).decode()
    except UnicodeDecodeError:
        return False
    return True
