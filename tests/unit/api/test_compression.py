"""Compressed responses."""

import asyncio
import gzip
from collections.abc import Callable
from typing import Any

import pytest
import zstandard
from starlette.types import Message, Receive, Scope, Send

from services.api import etags
from services.api.encoding.accept_encoding import preferred
from services.api.encoding.compression import LEAST_BYTES, Compression
from shared.store.zstd_frame import Frame
from tests.support.api.client import Reader, put, reader
from tests.support.events.makers import STARTED, Json, event
from tests.support.events.seed_call import seed_call

CALL = "/api/calls/call-456"
DECOMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
}


LIVE_AND_FINAL = pytest.mark.parametrize("api", ["live", "final"], indirect=True)


@pytest.fixture
async def api(request: pytest.FixtureRequest) -> Reader:
    """Return a reader of a live call, or of a final one, whose record is stored compressed."""
    api = await reader()
    final = getattr(request, "param", "live") == "final"
    ended = [event("call.ended", at=STARTED + 300_000)] if final else []
    await put(api.store, [*seed_call(), *ended], final=final)
    return api


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip", "gzip"),
        ("zstd", "zstd"),
        ("GZip", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("gzip; q=0.5 , zstd;q=0.501", "zstd"),
        ("*", "zstd"),
        ("*;q=0.1, zstd;q=0", "gzip"),
        ("gzip;q=0.5, identity;q=0.4", "gzip"),
        ("gzip;q=0.5, identity", None),
        ("gzip;q=0", None),
        ("gzip;q=0.000, *;q=0", None),
        ("identity", None),
        ("br, deflate", None),
        ("", None),
        ("gzip;q=2", None),
        ("gzip;level=9", None),
        ("gzip;q=1;q=0, zstd", "zstd"),
        (",,gzip,", "gzip"),
        ("zstd ;q=0.9, gzip ;q=0.8", "zstd"),
    ],
)
def test_the_client_chooses(accepted: str, encoding: str | None) -> None:
    chosen = preferred(accepted.encode())

    assert chosen == (None if encoding is None else encoding.encode())


@LIVE_AND_FINAL
@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@pytest.mark.parametrize("path", [CALL, "/openapi.json", "/metrics", "/docs/swagger-ui-bundle.js"])
async def test_a_compressed_response_is_the_other_one_compressed(api: Reader, path: str, encoding: str) -> None:
    plain = await api.get(path)
    sent = await _raw(api, path, {"accept-encoding": encoding})

    assert sent.headers["content-encoding"] == encoding
    assert sent.headers["content-length"] == str(len(sent.body))
    assert "Accept-Encoding" in sent.headers.get("vary", "") or sent.headers.get("cache-control") == "no-store"
    if path != "/metrics":  # it counts the requests
        same = DECOMPRESS[encoding](sent.body) == plain.content
        assert same  # pytest would compare a megabyte for its message
        assert len(sent.body) < len(plain.content)
        assert plain.headers["Vary"] == sent.headers["vary"]


@LIVE_AND_FINAL
@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
async def test_a_head_has_the_headers_of_the_get(api: Reader, encoding: str) -> None:
    get = await _raw(api, CALL, {"accept-encoding": encoding})
    head = await _raw(api, CALL, {"accept-encoding": encoding}, method="HEAD")

    del get.headers["x-request-id"], head.headers["x-request-id"]
    assert head.headers == get.headers


@pytest.mark.parametrize("path", ["/healthz", "/api/calls/none", "/docs/favicon-32x32.png"])
async def test_short_responses_errors_and_images_are_sent_as_they_are(api: Reader, path: str) -> None:
    sent = await _raw(api, path, {"accept-encoding": "gzip"})

    assert "content-encoding" not in sent.headers


@pytest.mark.parametrize(("length", "encoding"), [(LEAST_BYTES - 1, None), (LEAST_BYTES, b"gzip")])
async def test_a_response_is_compressed_from_a_kilobyte_on(length: int, encoding: bytes | None) -> None:
    sent = await _through_middleware([b"x" * length])

    assert dict(sent[0]["headers"]).get(b"content-encoding") == encoding


@pytest.mark.parametrize(("api", "zstd"), [("live", "zstd"), ("final", "zstd-stored")], indirect=["api"])
async def test_each_encoding_has_an_entity_tag_of_its_own(api: Reader, zstd: str) -> None:
    sent = [await _raw(api, CALL, {"accept-encoding": each}) for each in ("identity", "gzip", "zstd")]

    plain, *others = (each.headers["etag"] for each in sent)
    assert others == [f'{plain[:-1]}-gzip"', f'{plain[:-1]}-{zstd}"']


@pytest.mark.parametrize("api", ["final"], indirect=True)
async def test_a_stored_record_is_sent_as_it_is_compressed(api: Reader) -> None:
    frame = (await api.store.find("org-789/call-456")).content

    sent = await _raw(api, CALL, {"accept-encoding": "zstd"})

    assert isinstance(frame, Frame)
    assert frame.data[frame.last_block + 3 :] in sent.body
    assert zstandard.get_frame_parameters(sent.body).window_size <= 8 * 1024 * 1024


async def test_a_short_stored_record_is_sent_as_it_is() -> None:
    api = await reader()
    await put(api.store, [event("call.ended")], final=True)

    sent = await _raw(api, CALL, {"accept-encoding": "zstd"})

    assert (len(sent.body) < LEAST_BYTES, "content-encoding" in sent.headers) == (True, False)


@LIVE_AND_FINAL
@pytest.mark.parametrize("accepted", ["identity", "gzip", "zstd"])
@pytest.mark.parametrize("cached", ["identity", "gzip", "zstd"])
@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}'])
async def test_a_client_that_has_the_record_in_any_encoding_is_told_that_it_is_the_same(
    api: Reader, cached: str, accepted: str, form: str
) -> None:
    etag = (await _raw(api, CALL, {"accept-encoding": cached})).headers["etag"]

    sent = await _raw(api, CALL, {"accept-encoding": accepted, "if-none-match": form.format(etag)})

    assert (sent.status, sent.body) == (304, b"")
    assert sent.headers["etag"] == etag
    assert "Accept-Encoding" in sent.headers["vary"]


async def test_a_client_that_has_an_older_record_gets_the_present_one(api: Reader) -> None:
    etag = (await _raw(api, CALL, {"accept-encoding": "gzip"})).headers["etag"]
    await put(api.store, [event("call.ended", at=STARTED + 300_000)])

    sent = await _raw(api, CALL, {"accept-encoding": "gzip", "if-none-match": etag})

    assert sent.status == 200
    assert sent.headers["etag"] != etag


@pytest.mark.parametrize("parts", [[b"a" * 100_000, b"b" * 50_000], [b"c" * 1_000_000] * 5, [b"", b"d" * 3_000_000]])
@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
async def test_a_response_in_parts_is_compressed_in_parts(parts: list[bytes], encoding: str) -> None:
    sent = await _through_middleware(parts, accept=encoding)

    body = b"".join(message["body"] for message in sent[1:])
    total = sum(map(len, parts))
    length = dict(sent[0]["headers"]).get(b"content-length")
    same = DECOMPRESS[encoding](body) == b"".join(parts)
    assert same  # pytest would compare megabytes for its message
    assert length == (str(len(body)).encode() if total <= 2 * 1024 * 1024 else None)
    assert [message["more_body"] for message in sent[1:]] == [True] * (len(sent) - 2) + [False]


@pytest.mark.parametrize(("megabytes", "encoding"), [(1, b"gzip"), (3, None)])
async def test_a_client_of_http_1_0_gets_no_chunks(megabytes: int, encoding: bytes | None) -> None:
    sent = await _through_middleware([b"c" * 1_000_000] * megabytes, http_version="1.0")

    headers = dict(sent[0]["headers"])
    assert headers.get(b"content-encoding") == encoding
    assert int(headers[b"content-length"]) == sum(len(message["body"]) for message in sent[1:])


async def test_a_head_of_a_large_record_compresses_nothing() -> None:
    sent = await _through_middleware([b"c" * 1_000_000] * 5, state={"head": True})

    assert dict(sent[0]["headers"])[b"content-encoding"] == b"gzip"
    assert len(sent) == 2


def test_tags_of_encodings_are_read_back() -> None:
    tag = etags.encoded(b'"abc"', b"gzip")

    assert tag == b'"abc-gzip"'
    assert etags.unencoded(b'W/"abc-gzip", "d-zstd", "e-br"') == b'W/"abc", "d", "e-br"'
    assert etags.named(b'"x", W/"abc-zstd"', b'"abc"') == b'"abc-zstd"'
    assert etags.stored('"abc"') == '"abc-zstd-stored"'
    assert etags.unencoded(b'"abc-zstd-stored"') == b'"abc"'
    assert etags.named(b'"abc-zstd-stored"', b'"abc"') == b'"abc-zstd-stored"'
    assert etags.named(b"*", b'"abc"') == b'"abc"'


class _Sent:
    """A response as it was sent; `headers` by their names in lower case."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


async def _raw(api: Reader, path: str, headers: dict[str, str], method: str = "GET") -> _Sent:
    """Return the response without decompressing it."""
    given = {name.lower(): value for name, value in api.headers.items()} | headers
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    sent = await _run(api.app, scope)
    raw = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return _Sent(sent[0]["status"], raw, b"".join(message.get("body", b"") for message in sent[1:]))


async def _through_middleware(parts: list[bytes], accept: str = "gzip", **scope: Any) -> list[Message]:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        length = str(sum(map(len, parts))).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        for part in parts[:-1]:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": parts[-1], "more_body": False})

    return await _run(Compression(app), {"type": "http", "headers": [(b"accept-encoding", accept.encode())], **scope})


async def _run(app: Any, scope: Json) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.Event().wait()  # the client stays connected
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent
