"""What a client may use before its key is looked at."""

from dataclasses import dataclass
from enum import StrEnum

from services.api import errors
from services.api.errors import ApiError

MAX_HEADERS = 100
MAX_URL_BYTES = 8 * 1024
"""A call id of 256 characters takes 3 KB, percent-encoded."""

MAX_PIPELINED = 16
"""Requests of one connection that wait for the responses to earlier ones."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one server: numbers, bytes and seconds.

    `head_seconds` is counted from the first byte of a request, or from when the connection was made, to the end of
    the head. `stalled_seconds` is the time in which a client must read what is buffered of its response: 128 KB at
    most, as the middleware sends no more than 64 KB at a time, and the server's buffer is full at as many.
    """

    connections: int
    head_bytes: int
    head_seconds: float
    stalled_seconds: float = 30.0
    linger_seconds: float = 2.0


class Refused(StrEnum):
    """Why a connection was closed: the label of the metric."""

    INVALID = "invalid"
    HEAD_TOO_LARGE = "head_too_large"
    TOO_MANY_HEADERS = "too_many_headers"
    URL_TOO_LONG = "url_too_long"
    HEAD_TIMEOUT = "head_timeout"
    PIPELINED = "pipelined"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    MADE_ROOM = "made_room"
    STALLED = "stalled"


class Violation(Exception):
    """A request is over a limit, or is not HTTP: `error` is the response to it."""

    def __init__(self, reason: Refused, error: ApiError) -> None:
        super().__init__(reason)
        self.reason = reason
        self.error = error


def invalid() -> Violation:
    return Violation(Refused.INVALID, errors.bad_request())


def head_too_large(limit: int) -> Violation:
    return Violation(Refused.HEAD_TOO_LARGE, errors.headers_too_large(f"at most {limit} bytes"))


def too_many_headers() -> Violation:
    return Violation(Refused.TOO_MANY_HEADERS, errors.headers_too_large(f"at most {MAX_HEADERS} fields"))


def url_too_long() -> Violation:
    return Violation(Refused.URL_TOO_LONG, errors.url_too_long(MAX_URL_BYTES))


def head_timeout() -> Violation:
    return Violation(Refused.HEAD_TIMEOUT, errors.request_timeout())


def too_many_pipelined() -> Violation:
    return Violation(Refused.PIPELINED, errors.bad_request())


def too_many_connections() -> Violation:
    return Violation(Refused.TOO_MANY_CONNECTIONS, errors.too_many_connections())
