"""What a proxy does to those who come through it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from deploy.local.ports import HOST, free_port
from deploy.local.servers.proxy import Proxy
from tests.support.eventually import eventually

_LITTLE = 0.3
GONE = (ConnectionResetError, asyncio.IncompleteReadError)


@dataclass
class Echo:
    """Answers with what it is sent, and remembers it."""

    port: int = field(default_factory=free_port)
    received: bytes = b""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionResetError):  # as it is cut
            while piece := await reader.read(100):
                self.received += piece
                writer.write(piece)
        writer.close()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    echo = Echo()
    async with await asyncio.start_server(echo.answer, HOST, echo.port):
        yield echo


def kind(first: bytes) -> str:
    return first.decode()[0]


@asynccontextmanager
async def asking(proxy: Proxy, said: bytes) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(HOST, proxy.port)
    writer.write(said)
    yield reader, writer
    writer.transport.abort()


async def nothing_comes(reader: asyncio.StreamReader) -> bool:
    try:
        await asyncio.wait_for(reader.read(1), _LITTLE)
    except TimeoutError:
        return True
    return False


async def test_it_leads_there_and_back(echo: Echo) -> None:
    with Proxy(free_port(), echo.port) as proxy:
        async with asking(proxy, b"hello") as (reader, _):
            assert await reader.readexactly(5) == b"hello"


async def test_a_cut_ends_the_connections_of_one_kind_of_callers(echo: Echo) -> None:
    with Proxy(free_port(), echo.port, kind) as proxy:
        async with asking(proxy, b"a") as (one, _), asking(proxy, b"b") as (other, writer):
            await asyncio.gather(one.readexactly(1), other.readexactly(1))

            proxy.cut("a")

            with pytest.raises(GONE):
                await one.readexactly(1)
            writer.write(b"still")
            assert await other.readexactly(5) == b"still"


async def test_what_is_stalled_comes_when_it_is_healed(echo: Echo) -> None:
    with Proxy(free_port(), echo.port) as proxy:
        proxy.path().stalled = True
        async with asking(proxy, b"hello") as (reader, _):
            assert await nothing_comes(reader)

            proxy.path().heal()

            assert await reader.readexactly(5) == b"hello"


async def test_what_is_asked_arrives_when_answers_are_lost(echo: Echo) -> None:
    with Proxy(free_port(), echo.port) as proxy:
        proxy.path().answers_lost = True
        async with asking(proxy, b"hello") as (reader, _):
            await eventually(lambda: echo.received == b"hello")
            assert await nothing_comes(reader)


async def test_who_is_refused_gets_no_connection(echo: Echo) -> None:
    with Proxy(free_port(), echo.port) as proxy:
        proxy.path().refused = True
        async with asking(proxy, b"hello") as (reader, _):
            with pytest.raises(GONE):
                await reader.readexactly(1)
            assert echo.received == b""
