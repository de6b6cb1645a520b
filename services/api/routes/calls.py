"""`GET /api/calls/{callId}`: the record of a call; `GET /api/calls/{callId}/details`: its details."""

import re
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from services.api.as_of import AsOf
from services.api.encoding.compression import LEAST_BYTES
from services.api.errors import call_broken, call_not_found, invalid_call_id
from services.api.etags import matches, stored
from services.api.keys.authentication import KEY_HEADER, SECRET_HEADER, Authentication
from services.api.keys.forwarded import ForwardedFor
from services.api.paths import decoded
from services.api.routes.large_calls import LargeCallReader
from services.api.store_health import StoreHealth
from services.api.streaming import PartsResponse
from shared.calls.large_calls import LargeReading, OutOfMemory
from shared.calls.read_call import CallBroken, Finality, Large, Reading
from shared.calls.views import View
from shared.contract.ids import call_key
from shared.process.logs import logger
from shared.store.zstd_frame import Frame, wrapped

PATH = "/api/calls/{callId}"
DETAILS_PATH = f"{PATH}/details"
RETRIEVED = {View.RECORD: "Call retrieved successfully", View.DETAILS: "Call details retrieved successfully"}
FINALITY = "X-Call-Finality"
CACHING = "private, no-cache"
VARY = f"{KEY_HEADER}, {SECRET_HEADER}, Accept-Encoding"

_PREFIX = {
    view: b'{"message":"%b","status":"success","error":null,"data":' % message.encode()
    for view, message in RETRIEVED.items()
}
_SUFFIX = b"}"
_JOINED_BYTES = 64 * 1024
_MAX_CHARACTERS = 256
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DOTS = (".", "..")  # clients and proxies take them for steps within the path

log = logger(__name__)


class Reads(Protocol):
    """Reads one view of calls.

    Raises `CallBroken`, `StoreUnavailable`.
    """

    async def read(self, call: str) -> Reading | Large | None: ...


@dataclass(frozen=True, slots=True)
class Calls:
    """The routes and their dependencies; `timeout` (seconds) bounds the time that a request waits for the store."""

    authentication: Authentication
    forwarded_for: ForwardedFor
    health: StoreHealth
    timeout: float
    reads: Mapping[View, Reads]
    large: LargeCallReader
    as_of: AsOf

    async def get(self, request: Request) -> Response:
        """Return the present record of a call, live or ended."""
        return await self._get(request, View.RECORD)

    async def get_details(self, request: Request) -> Response:
        """Return what the record has no room for: legs, recordings, ends, problems and more."""
        return await self._get(request, View.DETAILS)

    async def _get(self, request: Request, view: View) -> Response:
        async with self.health.time_limit(self.timeout):
            self.forwarded_for.check(request.scope["headers"])
            caller = await self.authentication.caller(request.scope["headers"], _address(request))
            request.scope["state"]["caller"] = caller  # before it may be refused: the access log names it
            self.authentication.check_rate(caller)
            call_id = _call_id(request)
            as_of = self.as_of.header(call_id)  # before the call is read
            call = call_key(caller.organization_id, call_id)
            with _reported(request, call):
                found = await self.reads[view].read(call)
        known = request.headers.getlist("If-None-Match")
        match found:
            case None:
                raise call_not_found(call_id, as_of)
            case Reading():
                with _reported(request, call):
                    return _not_modified(found, known, as_of) or _ok(request, found, view, as_of)
            case Large(etag) if etag is not None and matches(known, etag):
                return _not_modified_response(etag, Finality.FINAL, as_of)
            case Large():
                return await self._get_large(request, call, view, known, as_of)

    async def _get_large(
        self, request: Request, call: str, view: View, known: list[str], as_of: Mapping[str, str]
    ) -> Response:
        async with AsyncExitStack() as until_sent:
            await until_sent.enter_async_context(self.large.slot())
            async with self.health.time_limit(None):
                with _reported(request, call):
                    reading = await self.large.read(call, view)
            if reading is None:
                raise call_not_found(_call_id(request), as_of)
            parts, headers = (_PREFIX[view], *reading.parts, _SUFFIX), _headers(reading.etag, reading.finality, as_of)
            return _not_modified(reading, known, as_of) or PartsResponse(parts, headers, until_sent.pop_all().aclose)


@contextmanager
def _reported(request: Request, call: str) -> Iterator[None]:
    """Log that the call cannot be folded, and answer so."""
    try:
        yield
    except (CallBroken, OutOfMemory) as error:
        request_id = request.state.request_id
        log.exception("call_broken", call=call, request_id=request_id, why=str(error))
        raise call_broken(request_id) from error


def _not_modified(reading: Reading | LargeReading, known: list[str], as_of: Mapping[str, str]) -> Response | None:
    """Return 304 if the client has this state of the view, else None."""
    has = matches(known, reading.etag)
    return _not_modified_response(reading.etag, reading.finality, as_of) if has else None


def _not_modified_response(etag: str, finality: Finality, as_of: Mapping[str, str]) -> Response:
    return Response(None, HTTPStatus.NOT_MODIFIED, _headers(etag, finality, as_of))


def _ok(request: Request, reading: Reading, view: View, as_of: Mapping[str, str]) -> Response:
    # The body is JSON already: parsing it and writing it again would take most of the time of a response.
    headers = _headers(reading.etag, reading.finality, as_of)
    frame = reading.content
    if isinstance(frame, Frame) and frame.content_bytes >= LEAST_BYTES and _takes_zstd(request):
        headers |= {"ETag": stored(reading.etag), "Content-Encoding": "zstd"}
        return Response(wrapped(_PREFIX[view], frame, _SUFFIX), HTTPStatus.OK, headers, "application/json")
    body = reading.body
    parts = (_PREFIX[view], body, _SUFFIX)
    if len(body) > _JOINED_BYTES:
        return PartsResponse(parts, headers)  # large, and of a live call shared by many requests: it is not copied
    return Response(b"".join(parts), HTTPStatus.OK, headers, "application/json")


def _takes_zstd(request: Request) -> bool:
    return bool(request.scope["state"].get("encoding") == b"zstd")


def _headers(etag: str, finality: Finality, as_of: Mapping[str, str]) -> dict[str, str]:
    return {"ETag": etag, FINALITY: finality, "Cache-Control": CACHING, "Vary": VARY, **as_of}


def _address(request: Request) -> str:
    client = request.scope.get("client")
    return client[0] if client else ""


def _call_id(request: Request) -> str:
    """Return the call's id from the path.

    Raises:
        ApiError: the id is invalid (400).
    """
    try:
        call_id = decoded(request.path_params["callId"])
    except UnicodeDecodeError as error:
        raise invalid_call_id() from error
    if len(call_id) > _MAX_CHARACTERS or _CONTROL.search(call_id) or call_id in _DOTS:
        raise invalid_call_id()
    return call_id
