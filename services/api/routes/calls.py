"""`GET /api/calls/{callId}`: the call's record, as the store or the fold rendered it."""

import re
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.responses import Response

from services.api.auth import KEY_HEADER, SECRET_HEADER, Authentication
from services.api.errors import call_broken, call_not_found, invalid_call_id
from services.api.etags import holds
from services.api.routes.large_calls import LargeReads
from services.api.store_health import Availability
from services.api.streaming import LargeAnswer
from shared.calls.cached_reads import Large, SmallReads
from shared.calls.large_calls import LargeReading, OutOfMemory
from shared.calls.read_call import CallBroken, Finality, Reading
from shared.contract.ids import call_key
from shared.process.logs import logger

PATH = "/api/calls/{callId}"
RETRIEVED = "Call retrieved successfully"
FINALITY = "X-Call-Finality"
CACHING = "private, no-cache"
VARY = f"{KEY_HEADER}, {SECRET_HEADER}"

_OPENING = b'{"message":"%b","status":"success","error":null,"data":' % RETRIEVED.encode()
_CLOSING = b"}"
_JOINED_BYTES = 64 * 1024
_MAX_CHARACTERS = 256
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_REPLACEMENT = "\ufffd"

log = logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Calls:
    """The route and what it needs; `patience` is how many seconds a request may wait for the store in all."""

    authentication: Authentication
    availability: Availability
    patience: float
    small: SmallReads
    large: LargeReads

    async def get(self, request: Request) -> Response:
        """Return the record of the call as it stands, of a call that goes on too."""
        async with self.availability.within(self.patience):
            organization = await self.authentication.organization(request.headers)
            call_id = _call_id(request)
            call = call_key(organization, call_id)
            found = await self._told(request, call, self.small.read(call))
        known = request.headers.getlist("If-None-Match")
        match found:
            case None:
                raise call_not_found(call_id)
            case Reading():
                return _unchanged(found, known) or _answer(found)
            case Large(etag) if etag is not None and known and holds(known, etag):
                return _unmodified(etag, Finality.FINAL)
            case Large():
                return await self._get_large(request, call, call_id, known)

    async def _get_large(self, request: Request, call: str, call_id: str, known: list[str]) -> Response:
        async with AsyncExitStack() as until_sent:
            await until_sent.enter_async_context(self.large.place())
            async with self.availability.within(None):
                reading = await self._told(request, call, self.large.read(call))
            if reading is None:
                raise call_not_found(call_id)
            parts, headers = (_OPENING, *reading.parts, _CLOSING), _headers(reading.etag, reading.finality)
            return _unchanged(reading, known) or LargeAnswer(parts, headers, until_sent.pop_all().aclose)

    async def _told(self, request: Request, call: str, reading: Awaitable[T]) -> T:
        try:
            return await reading
        except (CallBroken, OutOfMemory) as error:
            request_id = request.state.request_id
            log.exception("call_broken", call=call, request_id=request_id, why=str(error))
            raise call_broken(request_id) from error


def _unchanged(reading: Reading | LargeReading, known: list[str]) -> Response | None:
    """Return the answer to a client that has this state of the record, None to another."""
    return _unmodified(reading.etag, reading.finality) if known and holds(known, reading.etag) else None


def _unmodified(etag: str, finality: Finality) -> Response:
    return Response(None, HTTPStatus.NOT_MODIFIED, _headers(etag, finality))


def _answer(reading: Reading) -> Response:
    # The record is JSON already: to parse it and write it again would take most of the time of an answer.
    headers = _headers(reading.etag, reading.finality)
    parts = (_OPENING, reading.body, _CLOSING)
    if len(reading.body) > _JOINED_BYTES:
        return LargeAnswer(parts, headers)  # what many readers share is not copied for each
    return Response(b"".join(parts), HTTPStatus.OK, headers, "application/json")


def _headers(etag: str, finality: Finality) -> dict[str, str]:
    return {"ETag": etag, FINALITY: finality, "Cache-Control": CACHING, "Vary": VARY}


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
