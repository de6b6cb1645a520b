"""The errors of the API: what each says, in the envelope of every answer, without `data`.

Whoever asks for a call of another organization learns nothing that they would not learn of a call that never was, and
whoever has a wrong key learns nothing of the secret.
"""

from http import HTTPStatus

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

RETRY_AFTER_SECONDS = 1
RETRY_AFTER_FOLDS_SECONDS = 5


class Refused(Exception):
    """A request that is answered with an error: its status, `message` and `error` of the envelope, more headers."""

    def __init__(self, status: HTTPStatus, message: str, error: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.envelope = {"message": message, "status": "error", "error": error}
        self.headers = {"Cache-Control": "no-store"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }

    def response(self) -> Response:
        """Return the answer."""
        return Response(orjson.dumps(self.envelope), self.status, self.headers, "application/json")


def invalid_call_id() -> Refused:
    """Return the answer to an id that no call can have."""
    wanted = "A call ID is UTF-8, of at most 256 characters, none of them a control character"
    return Refused(HTTPStatus.BAD_REQUEST, "Invalid call ID", wanted)


def unauthorized() -> Refused:
    """Return the answer to a key or a secret that is missing or wrong, in the same words whichever it is."""
    return Refused(
        HTTPStatus.UNAUTHORIZED,
        "Unauthorized",
        "X-API-KEY and X-API-SECRET must be a valid API key and its secret",
        WWW_Authenticate="APIKey",  # RFC 9110, 11.6.1: a 401 names a scheme
    )


def call_not_found(call_id: str) -> Refused:
    """Return the answer where the key's organization has no such call."""
    return Refused(HTTPStatus.NOT_FOUND, "Call not found", f"Call with ID '{call_id}' does not exist")


def no_route() -> Refused:
    """Return the answer to a path that leads nowhere."""
    return Refused(HTTPStatus.NOT_FOUND, "Not found", "There is nothing at this path")


def wrong_method() -> Refused:
    """Return the answer to whatever would change something."""
    return Refused(
        HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed", "Only GET and HEAD are allowed", Allow="GET, HEAD"
    )


def call_broken(request_id: str) -> Refused:
    """Return the answer where a call's events are kept, but cannot be folded."""
    told = f"The call's record cannot be made; this was request '{request_id}'"
    return Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error", told)


def unforeseen(request_id: str) -> Refused:
    """Return the answer to what should not have happened: the log has the rest under the request's id."""
    told = f"Something went wrong; this was request '{request_id}'"
    return Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error", told)


def unavailable() -> Refused:
    """Return the answer while the store does not answer."""
    told = "The store does not answer at the moment; try again"
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Service unavailable", told, Retry_After=str(RETRY_AFTER_SECONDS))


def busy() -> Refused:
    """Return the answer where a large call cannot be folded now, because others are, or because that went wrong."""
    told = "The call is large, and is not folded at the moment; try again"
    wait = str(RETRY_AFTER_FOLDS_SECONDS)
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Service unavailable", told, Retry_After=wait)


async def answer_refused(_request: Request, refused: Exception) -> Response:
    """Answer what the API refused."""
    assert isinstance(refused, Refused)  # noqa: S101 - registered for this class alone
    return refused.response()


async def answer_unrouted(_request: Request, error: Exception) -> Response:
    """Answer what the framework refused, which is a path or a method."""
    wrong = isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED
    return (wrong_method() if wrong else no_route()).response()
