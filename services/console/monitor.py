"""What the monitor knows of the lag, asked over HTTP."""

from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

_SECONDS = 2.0


class MonitorUnavailable(Exception):
    """The monitor did not answer, or has no reading yet; the message is a sentence for the page."""


@dataclass(frozen=True, slots=True)
class Monitor:
    """The monitor at an address, such as `http://127.0.0.1:6067`."""

    address: str

    async def lag(self) -> dict[str, Any]:
        """Return the document of `/lag` (docs/operations.md).

        Raises:
            MonitorUnavailable: there is none.
        """
        try:
            timeout = aiohttp.ClientTimeout(total=_SECONDS)
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
                session.get(f"{self.address}/lag") as answer,
            ):
                document: dict[str, Any] = orjson.loads(await answer.read())
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise MonitorUnavailable(f"The monitor at {self.address} does not answer ({type(error).__name__}).") from error
        if answer.status != 200:
            raise MonitorUnavailable("The monitor has no reading yet.")
        return document
