"""The error responses of the API: the envelope of every response, without `data`.

A request for a call of another organization gets the same response as one for a call that does not exist. A request
with a wrong key learns nothing about the secret.
"""

from collections.abc import Mapping
from http import HTTPStatus
from math import ceil

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

RETRY_AFTER_SECONDS = 1
RETRY_AFTER_FOLDS_SECONDS = 5


class ApiError(Exception):
    """A request that gets an error response: the status, `message` and `error` of the envelope, additional headers."""

    def __init__(self, status: HTTPStatus, message: str, error: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.envelope = {"message": message, "status": "error", "error": error}
        self.headers = {"Cache-Control": "no-store"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }

    def response(self) -> Response:
        return Response(orjson.dumps(self.envelope), self.status, self.headers, "application/json")


def invalid_call_id() -> ApiError:
    return ApiError(
        HTTPStatus.BAD_REQUEST,
        "Invalid call ID",
        "A call ID must be UTF-8, at most 256 characters long, without control characters, not '.' or '..'",
    )


def unauthorized() -> ApiError:
    """Return the response to a missing or wrong key or secret: the same for each of them."""
    return ApiError(
        HTTPStatus.UNAUTHORIZED,
        "Unauthorized",
        "X-API-KEY and X-API-SECRET must be a valid API key and its secret",
        WWW_Authenticate="APIKey",  # RFC 9110, 11.6.1: a 401 names a scheme
    )


def call_not_found(call_id: str, headers: Mapping[str, str]) -> ApiError:
    return ApiError(HTTPStatus.NOT_FOUND, "Call not found", f"Call with ID '{call_id}' does not exist", **headers)


def different_keys() -> ApiError:
    return ApiError(
        HTTPStatus.BAD_REQUEST,
        "Different keys",
        "The request has two different X-API-KEY or X-API-SECRET headers; send each once",
    )


def too_many_rejections(seconds: float) -> ApiError:
    """Return the response to a client address from which too many keys were rejected lately."""
    return _too_many("Too many requests with a wrong key or secret came from this address; try again later", seconds)


def too_many_requests(seconds: float) -> ApiError:
    """Return the response to a key that is used more often than the operator allows."""
    return _too_many("Too many requests came with this key; try again later", seconds)


def no_route() -> ApiError:
    return ApiError(HTTPStatus.NOT_FOUND, "Not found", "This path does not exist; /docs lists the paths")


def method_not_allowed() -> ApiError:
    return ApiError(
        HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed", "Only GET and HEAD are allowed", Allow="GET, HEAD"
    )


def bad_request() -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, "Bad request", "This is not a valid HTTP/1.1 request")


def request_timeout() -> ApiError:
    return ApiError(HTTPStatus.REQUEST_TIMEOUT, "Request timeout", "The headers of the request took too long to come")


def url_too_long(most: int) -> ApiError:
    return ApiError(HTTPStatus.REQUEST_URI_TOO_LONG, "URI too long", f"A URL may have at most {most} bytes")


def headers_too_large(most: str) -> ApiError:
    return ApiError(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "Request header fields too large",
        f"A request may have {most} in its headers",
    )


def call_broken(request_id: str) -> ApiError:
    """Return the response for a call that cannot be folded; its events are kept."""
    return _internal(f"The events of this call cannot be folded into a record; report request ID '{request_id}'")


def internal_error(request_id: str) -> ApiError:
    """Return the response after an unexpected exception; the log has the exception under the request's id."""
    return _internal(f"An internal error occurred; report request ID '{request_id}'")


def unavailable() -> ApiError:
    return _unavailable("The database does not answer; try again", RETRY_AFTER_SECONDS)


def busy() -> ApiError:
    """Return the response for a large call that cannot be folded now: others are being folded, or the fold failed."""
    return _unavailable("The call is large and cannot be folded now; try again", RETRY_AFTER_FOLDS_SECONDS)


def _too_many(error: str, seconds: float) -> ApiError:
    return ApiError(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests", error, Retry_After=str(ceil(seconds)))


def too_many_connections() -> ApiError:
    return _unavailable("There are too many connections; try again", RETRY_AFTER_SECONDS)


def _internal(error: str) -> ApiError:
    return ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error", error)


def _unavailable(error: str, retry_after: int) -> ApiError:
    return ApiError(HTTPStatus.SERVICE_UNAVAILABLE, "Service unavailable", error, Retry_After=str(retry_after))


async def api_error_response(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - registered for this class alone
    return error.response()


async def http_exception_response(_request: Request, error: Exception) -> Response:
    """Return the response to what the framework rejects: an unknown path or a method."""
    is_method = isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED
    return (method_not_allowed() if is_method else no_route()).response()
