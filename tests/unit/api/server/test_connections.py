"""Which connections are closed for others, or because their client does not read."""

import orjson
import pytest
from structlog.testing import capture_logs

from services.api import errors
from services.api.server.limits import Refused
from tests.support.api.limited_server import GET, LAST_GET, limited_server, read_to_end, refused, statuses
from tests.support.eventually import eventually


@pytest.mark.parametrize(
    ("path", "logged"), [(b"/large?key", ["reader_stalled"]), (b"/large", []), (b"/whole", []), (b"/", [])]
)
async def test_a_client_that_does_not_read_is_disconnected_and_logged_if_it_has_a_key(
    path: bytes, logged: list[str]
) -> None:
    async with limited_server(stalled_seconds=0.2, idle_seconds=0.2) as server:
        _, writer = await server.connect()
        with capture_logs() as lines:
            writer.write(b"GET %b HTTP/1.1\r\n\r\n" % path)
            await eventually(lambda: server.routes.paths)

            await eventually(lambda: not server.state.connections)

        assert [line["event"] for line in lines] == logged


async def test_for_a_new_connection_the_longest_unused_one_is_closed() -> None:
    before = refused(Refused.MADE_ROOM)
    async with limited_server(connections=2) as server:
        slow = await server.connect()
        slow[1].write(b"GET / ")
        idle = await server.connect()
        idle[1].write(GET)
        await idle[0].readuntil(b"ok")

        first = await server.exchange(LAST_GET)

        assert statuses(first) == [200]
        assert await read_to_end(slow[0]) == b""
        idle[1].write(LAST_GET)
        assert statuses(await read_to_end(idle[0])) == [200]
    assert refused(Refused.MADE_ROOM) == before + 1


@pytest.mark.parametrize("path", [b"/large", b"/whole"])
async def test_a_client_that_does_not_read_makes_room_at_once(path: bytes) -> None:
    async with limited_server(connections=1, stalled_seconds=600) as server:
        _, unread = await server.connect()
        unread.write(b"GET %b HTTP/1.1\r\n\r\n" % path)
        await eventually(lambda: any(each.flow.write_paused for each in server.protocols()))

        received = await server.exchange(LAST_GET)

        assert statuses(received) == [200]
        await eventually(lambda: not server.state.connections)


async def test_a_client_that_has_read_makes_no_room() -> None:
    async with limited_server(connections=1, stalled_seconds=600) as server:
        reader, writer = await server.connect()
        writer.write(b"GET /open HTTP/1.1\r\nConnection: close\r\n\r\n")
        await eventually(lambda: any(each.flow.write_paused for each in server.protocols()))
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(32 * 1024 * 1024)

        rejected = await server.exchange(LAST_GET)

        server.routes.released.set()
        assert statuses(rejected) == [503]
        assert await reader.read() == b""


async def test_an_unread_response_does_not_hold_up_the_exit() -> None:
    async with limited_server(stalled_seconds=600, linger_seconds=0.2) as server:
        _, unread = await server.connect()
        unread.write(b"GET /whole HTTP/1.1\r\n\r\n")
        await eventually(lambda: server.state.total_requests == 1)

        for each in server.protocols():
            each.shutdown()

        await eventually(lambda: not server.state.connections)


async def test_a_connection_with_a_request_in_progress_is_not_closed_for_another() -> None:
    async with limited_server(connections=1) as server:
        reader, writer = await server.connect()
        writer.write(b"GET /later HTTP/1.1\r\nConnection: close\r\n\r\n")
        await eventually(lambda: server.routes.paths)

        rejected = await server.exchange(b"")

        server.routes.released.set()
        assert statuses(await read_to_end(reader)) == [200]
    assert statuses(rejected) == [503]
    assert orjson.loads(rejected.rpartition(b"\r\n\r\n")[2]) == errors.too_many_connections().envelope
    assert b"retry-after: 1\r\n" in rejected
