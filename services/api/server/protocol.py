"""HTTP as uvicorn and httptools speak it, within limits (decision 22).

The parser joins the pieces of a header, and the server waits for the rest of a request: both without a limit.
"""

import asyncio
from collections.abc import Callable
from typing import Any, NoReturn, cast
from uuid import uuid4

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from services.api import metrics
from services.api.server import limits
from services.api.server.connections import Connections
from services.api.server.limits import MAX_HEADERS, MAX_PIPELINED, MAX_URL_BYTES, Limits, Refused, Violation
from shared.process.logs import logger

log = logger(__name__)

_HEAD_END = b"\r\n\r\n"
_LINGER_BYTES = 1024 * 1024


class _LastResponse:
    """What a request and its response use of the transport; the end of the response calls `on_end`."""

    def __init__(self, transport: asyncio.Transport, on_end: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = on_end


class LimitedProtocol(HttpToolsProtocol):
    """One connection.

    A request over a limit gets its error after the responses to earlier requests; then the connection is closed. A
    request with a body, which no route reads, and one to change the protocol are answered, and the connection is
    closed after that too.
    """

    def __init__(self, bounds: Limits, open_connections: Connections, **server: Any) -> None:
        super().__init__(**server)
        self._limits = bounds
        self._open = open_connections
        self._head_bytes = 0  # of a head that is not complete yet
        self._in_head = False
        self._has_body = False
        self._parsed_head = False  # by the last bytes
        self._violation: Violation | None = None
        self._deaf = False  # what comes is discarded
        self._lingering = False  # the response is written, the client may still send
        self._discarded = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._stalled_timer: asyncio.TimerHandle | None = None

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        super().connection_made(transport)
        stays = self._open.opened()
        self._open.waits(self)
        if stays:
            self._start_head_timer()
        else:
            self._refuse(limits.too_many_connections())
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.closed(self)
        self._stop_head_timer()
        self._stop_stalled_timer()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def make_room(self) -> None:
        """Close the connection at once: what its client has not read yet would hold the descriptor."""
        _count(Refused.MADE_ROOM)
        self.transport.abort()

    def shutdown(self) -> None:
        """Close the connection, now or after its response; one that is not read does not hold the exit up."""
        super().shutdown()
        if self.transport.is_closing() and self.transport.get_write_buffer_size():
            self.loop.call_later(self._limits.linger_seconds, self.transport.abort)

    # Requests

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            self._discard(data)
            return
        while len(data) > (room := self._limits.head_bytes - self._head_bytes):
            self._parse(data[:room])
            if self._deaf:
                return
            data = data[room:]
        self._parse(data)

    def _parse(self, data: bytes) -> None:
        """Parse what is not longer than the rest of the limit."""
        self._parsed_head = False
        super().data_received(data)
        if self._deaf or not (self._in_head or not self._parsed_head):
            return
        # The next head began after the last one that these bytes completed. Line breaks before a head count as well.
        self._head_bytes += len(data) - (data.rfind(_HEAD_END) + len(_HEAD_END) if self._parsed_head else 0)
        if self._head_bytes >= self._limits.head_bytes:
            self._refuse(limits.head_too_large(self._limits.head_bytes))
        elif self._head_timer is None and not self.flow.read_paused:
            self._start_head_timer()

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= MAX_PIPELINED:
            self._stop_parsing(limits.too_many_pipelined())
        self._in_head = True
        self._has_body = False
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > MAX_URL_BYTES:
            self._stop_parsing(limits.url_too_long())

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.headers) >= MAX_HEADERS:
            self._stop_parsing(limits.too_many_headers())
        super().on_header(name, value)
        name = self.headers[-1][0]
        if (name == b"content-length" and value.strip(b"0")) or name == b"transfer-encoding":
            self._has_body = True

    def on_headers_complete(self) -> None:
        if self._deaf:  # bytes behind a request that ends the connection
            return
        super().on_headers_complete()
        self._in_head, self._parsed_head, self._head_bytes = False, True, 0
        self._stop_head_timer()
        self._open.works(self)
        if self._has_body or self.parser.should_upgrade():
            self._end_after(self.cycle)

    # Responses

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._watch_flush()
        elif self.cycle.response_complete:
            self._open.waits(self)
        if self._head_bytes and self._head_timer is None and not self._deaf:
            self._start_head_timer()  # not earlier: the client could not send the rest while reading was paused

    def timeout_keep_alive_handler(self) -> None:
        self._close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._start_stalled_timer()
        self._open.waits(self)

    def resume_writing(self) -> None:
        self._stop_stalled_timer()
        super().resume_writing()
        if self.cycle is not None and not self.cycle.response_complete:
            self._open.works(self)
        if self.transport.is_closing():
            self._watch_flush()

    # The end

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text is replaced
        """Respond to what a callback or the parser rejects."""
        if not self._deaf:
            self._refuse(self._violation or limits.invalid())

    def _stop_parsing(self, violation: Violation) -> NoReturn:
        self._violation = violation
        raise violation

    def _refuse(self, violation: Violation) -> None:
        _count(violation.reason)
        if self.cycle is not None and not self.cycle.response_complete:
            self._end_after(self.cycle)  # an error now would look like the response to that request
            return
        self._stop_listening()
        self.transport.write(self._error_response(violation))
        self._linger()

    def _error_response(self, violation: Violation) -> bytes:
        response = violation.error.response()
        own = [(b"x-request-id", uuid4().hex.encode()), (b"connection", b"close")]
        headers = [*self.server_state.default_headers, *response.raw_headers, *own]
        lines = [b"%b: %b\r\n" % header for header in headers]
        return b"".join([STATUS_LINE[response.status_code], *lines, b"\r\n", bytes(response.body)])

    def _end_after(self, cycle: RequestResponseCycle) -> None:
        """Close the connection after the response of `cycle`, the latest; ignore what comes until then."""
        self._stop_listening()
        self.flow.pause_reading()
        cycle.keep_alive = False
        cycle.transport = cast(asyncio.Transport, _LastResponse(self.transport, self._linger))

    def _stop_listening(self) -> None:
        self._deaf = True
        self._stop_head_timer()

    def _linger(self) -> None:
        """End the stream, and close the connection when the client has, or after a while.

        Closing it while the client sends would reset it, and the client might never read the response.
        """
        if self.transport.is_closing():
            return
        self._lingering = True
        self.flow.resume_reading()
        self.transport.write_eof()
        self._open.waits(self)
        self._head_timer = self.loop.call_later(self._limits.linger_seconds, self._close)

    def _discard(self, data: bytes) -> None:
        if not self._lingering:
            self.flow.pause_reading()  # uvicorn resumes it after each response
            return
        self._discarded += len(data)
        if self._discarded > _LINGER_BYTES:
            self._close()

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
            self._watch_flush()

    def _watch_flush(self) -> None:
        """Abort a closed connection whose client does not read the rest of its response."""
        if self.transport.get_write_buffer_size():
            self._start_stalled_timer()

    # Timers

    def _start_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(self._limits.head_seconds, self._on_head_timeout)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _on_head_timeout(self) -> None:
        self._head_timer = None
        if self._in_head:
            self._refuse(limits.head_timeout())
        else:
            self._close()

    def _start_stalled_timer(self) -> None:
        if self._stalled_timer is None:
            self._stalled_timer = self.loop.call_later(self._limits.stalled_seconds, self._on_stalled)

    def _stop_stalled_timer(self) -> None:
        if self._stalled_timer is not None:
            self._stalled_timer.cancel()
            self._stalled_timer = None

    def _on_stalled(self) -> None:
        _count(Refused.STALLED)
        state: dict[str, Any] = self.cycle.scope.get("state", {}) if self.cycle is not None else {}
        if "caller" in state:  # who has no key cannot fill the log
            log.warning("reader_stalled", request_id=state.get("request_id"))
        self.transport.abort()


def _count(reason: Refused) -> None:
    metrics.CONNECTIONS_REFUSED.labels(reason).inc()
