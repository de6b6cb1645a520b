"""Reads records from the API over HTTP, as a customer does."""

from http import HTTPStatus
from types import TracebackType
from typing import Self

import aiohttp
import orjson

from services.monitor.canary.ports import Answer, ApiUnavailable
from shared.process.dependencies import DependencyStatus

_TIMEOUT_SECONDS = 5.0
_MOST_BYTES = 256 * 1024
_READ_BYTES = 16 * 1024


class HttpReader:
    """Reads with one API key; it is open within its context."""

    def __init__(self, url: str, api_key: str, api_secret: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"X-API-KEY": api_key, "X-API-SECRET": api_secret}
        self._session: aiohttp.ClientSession | None = None
        self._status = DependencyStatus("api")

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
        self._session = aiohttp.ClientSession(
            headers=self._headers, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
        )
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._status.withdraw()
        if self._session is not None:
            await self._session.close()

    async def read(self, call_id: str, known: Answer) -> Answer:
        try:
            answer = await self._read(call_id, known)
        except ApiUnavailable as error:
            self._status.unavailable(str(error))
            raise
        self._status.recovered()
        return answer

    async def _read(self, call_id: str, known: Answer) -> Answer:
        if self._session is None:
            raise RuntimeError("HttpReader is used outside of its context")
        headers = {"If-None-Match": known.etag} if known.etag else {}
        address = f"{self._url}/api/calls/{call_id}"
        try:
            # The key is for this address alone: a redirect is not followed.
            async with self._session.get(address, headers=headers, allow_redirects=False) as response:
                return await _answer(response, known)
        except TimeoutError as error:
            raise ApiUnavailable(f"the API at {self._url} did not answer within {_TIMEOUT_SECONDS:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise ApiUnavailable(f"the API at {self._url} cannot be reached: {type(error).__name__}") from error


async def _answer(response: aiohttp.ClientResponse, known: Answer) -> Answer:
    finality = response.headers.get("X-Call-Finality", "")
    match response.status:
        case HTTPStatus.NOT_FOUND:
            return Answer()
        case HTTPStatus.NOT_MODIFIED:
            return Answer(known.record, known.etag, finality)
        case HTTPStatus.OK:
            return Answer(await _record(response), response.headers.get("ETag", ""), finality)
        case status:
            raise ApiUnavailable(f"the API returned {status}")


async def _record(response: aiohttp.ClientResponse) -> object:
    """Return the record; of a body that is too large or no JSON what is no record, which is wrong."""
    body = bytearray()
    async for part in response.content.iter_chunked(_READ_BYTES):
        body += part
        if len(body) > _MOST_BYTES:
            return None
    try:
        envelope = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return envelope.get("data") if isinstance(envelope, dict) else None
