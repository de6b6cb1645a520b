"""What the routes say of themselves in OpenAPI. Every error's example is the error itself."""

from pathlib import Path
from typing import Any, Literal

import orjson
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from services.api import errors
from services.api.auth import KEY_HEADER, SECRET_HEADER
from services.api.errors import Refused
from services.api.middleware import REQUEST_ID
from services.api.routes.calls import CACHING, FINALITY, PATH, RETRIEVED, VARY
from services.api.routes.health import ALIVE, READY
from shared.calls.read_call import Finality
from shared.fold.record import Record

Json = dict[str, Any]

_EXAMPLE: Json = orjson.loads(Path(__file__).with_name("call_example.json").read_bytes())
_REQUEST = "0f9a6d1c5b3e4a7f8c2d1e0b9a8f7c6d"
_TAG = '"1f0c5a9d3b7e2468ace013579bdf8642"'


class CallRetrieved(TypedDict):
    """The answer that carries a call."""

    message: Literal["Call retrieved successfully"]
    status: Literal["success"]
    error: None
    data: Record


class RequestRefused(TypedDict):
    """The answer to a request that failed."""

    message: str
    status: Literal["error"]
    error: str


class Answered(TypedDict):
    """An answer that carries nothing."""

    message: str
    status: Literal["success"]
    error: None


def _text(description: str, example: str, **schema: Any) -> Json:
    return {"description": description, "schema": {"type": "string", **schema}, "example": example}


_ID = {REQUEST_ID: _text("The request's id: the client's own where it was well-formed", _REQUEST)}
_HEADERS = _ID | {
    "ETag": _text("Names this state of the record, for `If-None-Match`", _TAG),
    FINALITY: _text(
        "`live`: the call goes on. `settling`: it has ended, events may still be on their way. `final`: it has ended"
        " and gone quiet; a late event still changes the record",
        Finality.LIVE,
        enum=[*Finality],
    ),
    "Cache-Control": _text("May be kept by the client, and asked for with `If-None-Match`", CACHING),
    "Vary": _text("The headers that the answer depends on", VARY),
}
_MEANINGS = {
    "Allow": "The methods that are",
    "Cache-Control": "Errors are not kept",
    "Retry-After": "Seconds to wait before the next attempt",
    "WWW-Authenticate": "The scheme: the two headers",
}


def _refusal(description: str, *refused: Refused) -> Json:
    own = {name: _text(_MEANINGS[name], value) for name, value in refused[0].headers.items()}
    examples = {error.envelope["error"]: {"value": error.envelope} for error in refused}
    return {
        "model": RequestRefused,
        "description": description,
        "headers": _ID | own,
        "content": {"application/json": {"examples": examples}},
    }


def _answered(description: str) -> Json:
    return {"model": Answered, "description": description, "headers": _ID}


_NOT_NOW = (errors.unavailable(), errors.busy())
UNAVAILABLE = _refusal("The store does not answer", errors.unavailable())

CALL_RESPONSES: dict[int | str, Json] = {
    200: {
        "model": CallRetrieved,
        "description": RETRIEVED,
        "headers": _HEADERS,
    },
    304: {"description": "The client has this state of the record", "headers": _HEADERS},
    400: _refusal("No call can have this ID", errors.invalid_call_id()),
    401: _refusal("The key or the secret is missing or wrong, or the key is revoked", errors.unauthorized()),
    404: _refusal("The key's organization has no such call", errors.call_not_found("call-456")),
    405: _refusal("Another method than GET and HEAD", errors.wrong_method()),
    500: _refusal("A mistake of ours", errors.unforeseen(_REQUEST), errors.call_broken(_REQUEST)),
    503: _refusal("The store does not answer, or the call is large and others are ahead", *_NOT_NOW),
}

CALL_EXTRA: Json = {
    "security": [{KEY_HEADER: [], SECRET_HEADER: []}],
    "parameters": [
        {
            "name": "callId",
            "in": "path",
            "required": True,
            "description": "Unique identifier of the call",
            "schema": {"type": "string", "minLength": 1, "maxLength": 256, "pattern": r"^[^/\x00-\x1f\x7f-\x9f]+$"},
            "example": "call-456",
        },
        {
            "name": "If-None-Match",
            "in": "header",
            "description": "Entity tags of states that the client has",
            "schema": {"type": "string"},
        },
        {
            "name": REQUEST_ID,
            "in": "header",
            "description": "An id for the request; another one is made where it is not well-formed",
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
        },
    ],
}

HEALTH_RESPONSES: dict[int | str, Json] = {200: _answered("The process answers")}
READY_RESPONSES: dict[int | str, Json] = {200: _answered("Calls can be read"), 503: UNAVAILABLE}

_SECURITY_SCHEMES: Json = {
    name: {
        "type": "apiKey",
        "in": "header",
        "name": name,
        "description": f"{what} for MCP server and external service authentication",
    }
    for name, what in ((KEY_HEADER, "API key"), (SECRET_HEADER, "API secret"))
}
_EXAMPLES = {PATH: _EXAMPLE, "/healthz": ALIVE, "/readyz": READY}


def complete(document: Json) -> Json:
    """Return FastAPI's document with what it leaves out: how one may enter, and every null of the examples."""
    document["components"]["securitySchemes"] = _SECURITY_SCHEMES
    for path, example in _EXAMPLES.items():
        document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["example"] = example
    return document
