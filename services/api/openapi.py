"""The OpenAPI document of the routes.

The example of each error is made by the code that raises it, that of the details from events.
"""

from functools import cache
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import TypeAdapter
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from services.api import errors
from services.api.as_of import AS_OF
from services.api.errors import ApiError
from services.api.keys.authentication import KEY_HEADER, SECRET_HEADER
from services.api.middleware import REQUEST_ID
from services.api.routes.calls import CACHING, DETAILS_PATH, FINALITY, PATH, RETRIEVED, VARY
from services.api.routes.health import ALIVE, READY
from services.api.server.limits import MAX_HEADERS, MAX_URL_BYTES
from shared.calls.read_call import Finality
from shared.calls.read_details import CallDetails, served
from shared.calls.views import View
from shared.config import price_book
from shared.contract.decode_event import Event, decode_logged
from shared.contract.event import CallId
from shared.fold.call_details import call_details
from shared.fold.record import Record

Json = dict[str, Any]

EXAMPLE_EVENTS = Path(__file__).with_name("example_events.json")
"""The events of the call whose details are the example, as a JSON array."""

_EXAMPLE: Json = orjson.loads(Path(__file__).with_name("call_example.json").read_bytes())
_REQUEST = "0f9a6d1c5b3e4a7f8c2d1e0b9a8f7c6d"
_TAG = '"1f0c5a9d3b7e2468ace013579bdf8642"'


class CallRetrieved(TypedDict):
    """The response with a call."""

    message: Literal["Call retrieved successfully"]
    status: Literal["success"]
    error: None
    data: Record


class DetailsRetrieved(TypedDict):
    """The response with the details of a call."""

    message: Literal["Call details retrieved successfully"]
    status: Literal["success"]
    error: None
    data: CallDetails


class RequestFailed(TypedDict):
    """The response to a request that failed."""

    message: str
    status: Literal["error"]
    error: str


class RequestSucceeded(TypedDict):
    """A response without data."""

    message: str
    status: Literal["success"]
    error: None


def _text(description: str, example: str, **schema: Any) -> Json:
    return {"description": description, "schema": {"type": "string", **schema}, "example": example}


_ID = {REQUEST_ID: _text("The request's id: the client's own if it was well-formed", _REQUEST)}
_AS_OF = {
    AS_OF: _text(
        "All events of the call that arrived at Kafka until this time (RFC 3339) are in this answer; missing while that"
        " is not known",
        "2026-03-02T09:15:04.250Z",
        format="date-time",
    )
}
_HEADERS = {
    **_ID,
    **_AS_OF,
    "ETag": _text("Identifies this state of the call, for `If-None-Match`", _TAG),
    FINALITY: _text(
        "`live`: the call is running. `settling`: it has ended, and events may still arrive. `final`: it has ended and"
        " no events arrive any more; a late event still changes the record",
        Finality.LIVE,
        enum=[*Finality],
    ),
    "Cache-Control": _text("The client may cache the response, and must revalidate it with `If-None-Match`", CACHING),
    "Vary": _text("The request headers that the response depends on", VARY),
}
_MEANINGS = {
    "Allow": "The methods that are allowed",
    "Cache-Control": "Errors are not cached",
    "Retry-After": "Seconds to wait before trying again",
    "WWW-Authenticate": "The scheme: an API key and its secret in two headers",
}


def _error(description: str, *errors: ApiError, headers: Json | None = None) -> Json:
    own = {name: _text(_MEANINGS[name], value) for name, value in errors[0].headers.items()}
    examples = {error.envelope["error"]: {"value": error.envelope} for error in errors}
    return {
        "model": RequestFailed,
        "description": description,
        "headers": _ID | own | (headers or {}),
        "content": {"application/json": {"examples": examples}},
    }


def _success(description: str) -> Json:
    return {"model": RequestSucceeded, "description": description, "headers": _ID}


UNAVAILABLE = _error("The database does not answer", errors.unavailable())


def _responses(view: View, model: type) -> dict[int | str, Json]:
    return {
        200: {"model": model, "description": RETRIEVED[view], "headers": _HEADERS},
        304: {"description": "The client has the present state of the call", "headers": _HEADERS},
        400: _error(
            "The call ID is invalid, there are two different keys, or the request is invalid",
            errors.invalid_call_id(),
            errors.different_keys(),
            errors.bad_request(),
        ),
        401: _error("The key or the secret is missing or wrong, or the key is revoked", errors.unauthorized()),
        404: _error("The key's organization has no such call", errors.call_not_found("call-456", {}), headers=_AS_OF),
        405: _error("The method is neither GET nor HEAD", errors.method_not_allowed()),
        408: _error("The headers took too long to come", errors.request_timeout()),
        414: _error("The URL is too long", errors.url_too_long(MAX_URL_BYTES)),
        429: _error(
            "Too many wrong keys came from the client's address, or too many requests with the key",
            errors.too_many_rejections(1),
            errors.too_many_requests(1),
        ),
        431: _error("The headers are too many or too large", errors.headers_too_large(f"at most {MAX_HEADERS} fields")),
        500: _error("An internal error", errors.internal_error(_REQUEST), errors.call_broken(_REQUEST)),
        503: _error(
            "The database does not answer, or the call is large and cannot be folded now",
            errors.unavailable(),
            errors.busy(),
        ),
    }


CALL_RESPONSES = _responses(View.RECORD, CallRetrieved)
DETAILS_RESPONSES = _responses(View.DETAILS, DetailsRetrieved)

CALL_EXTRA: Json = {
    "security": [{KEY_HEADER: [], SECRET_HEADER: []}],
    "parameters": [
        {
            "name": "callId",
            "in": "path",
            "required": True,
            "description": "Unique identifier of the call, percent-encoded as UTF-8, `/` too: `a/b` is `a%2Fb`",
            "schema": TypeAdapter(CallId).json_schema(),
            "example": "call-456",
        },
        {
            "name": "If-None-Match",
            "in": "header",
            "description": "The entity tags of responses that the client has cached",
            "schema": {"type": "string"},
        },
        {
            "name": REQUEST_ID,
            "in": "header",
            "description": "An id for the request; one that is not well-formed is replaced",
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
        },
    ],
}

HEALTH_RESPONSES: dict[int | str, Json] = {200: _success("The process is running")}
READY_RESPONSES: dict[int | str, Json] = {200: _success("Calls can be read"), 503: UNAVAILABLE}

_SECURITY_SCHEMES: Json = {
    name: {
        "type": "apiKey",
        "in": "header",
        "name": name,
        "description": f"{what} for MCP server and external service authentication",
    }
    for name, what in ((KEY_HEADER, "API key"), (SECRET_HEADER, "API secret"))
}


@cache
def _details_example() -> Json:
    """Return the response with the details of the call that the example's events belong to."""
    decoded = [decode_logged(orjson.dumps(event)) for event in orjson.loads(EXAMPLE_EVENTS.read_bytes())]
    book = price_book.load()
    details = call_details([event for event in decoded if isinstance(event, Event)], book)
    data = served(details, Finality.FINAL, book)
    return {"message": RETRIEVED[View.DETAILS], "status": "success", "error": None, "data": data}


def complete(document: Json) -> Json:
    """Add what FastAPI leaves out of its document: the security schemes, and the nulls of the examples."""
    document["components"]["securitySchemes"] = _SECURITY_SCHEMES
    examples = {PATH: _EXAMPLE, DETAILS_PATH: _details_example(), "/healthz": ALIVE, "/readyz": READY}
    for path in examples.keys() & document["paths"].keys():
        document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["example"] = examples[path]
    return document
