"""Questions over HTTP to the programs that watch."""

from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson

_SECONDS = 2.0


class NoAnswer(Exception):
    """A program did not answer as expected; the message is a sentence for the page."""


async def ask(name: str, address: str, path: str, parameters: Mapping[str, str] | None = None) -> Any:
    """Return the JSON of an answer; `name` is the program's, as a page calls it.

    Raises:
        NoAnswer: there is none, or its status is not 200.
    """
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
            session.get(f"{address}{path}", params=parameters) as answer,
        ):
            status, body = answer.status, await answer.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise NoAnswer(f"{name} at {address} does not answer ({type(error).__name__}).") from error
    if status != 200:  # noqa: PLR2004
        raise NoAnswer(f"{name} at {address} has no answer yet (status {status}).")
    try:
        return orjson.loads(body)
    except ValueError as error:
        raise NoAnswer(f"{name} at {address} does not answer with JSON.") from error
