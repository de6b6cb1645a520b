"""Sends requests as fast as answers come, with wrk (a package of Debian and Ubuntu)."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple, Self

_SCRIPT = Path(__file__).with_name("requests.lua")
_TIMEOUT_SECONDS = 30


class NotAnswered(Exception):
    """Every request failed."""


class Get(NamedTuple):
    path: str
    headers: Mapping[str, str]


class Rate(NamedTuple):
    """`failed` requests got an error or nothing; they count for the times alone."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float
    failed: int = 0

    @classmethod
    def of(cls, seconds: Sequence[float], total: float) -> Self:
        """Return the rate of requests that took so many seconds each, and `total` seconds in all."""
        ranked = quantiles(seconds, n=100)
        return cls(len(seconds) / total, 1000 * ranked[49], 1000 * ranked[98])


def write(requests: Sequence[Get], path: Path) -> Path:
    """Write the requests to a file that only this user can read: the headers hold secrets."""
    lines = ["\t".join([each.path, *(part for header in each.headers.items() for part in header)]) for each in requests]
    path.touch(mode=0o600)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


async def send(address: str, requests: Path, connections: int, seconds: int) -> Rate:
    """Send the requests of the file in turn, over so many connections, for so long.

    Raises:
        NotAnswered: every request failed.
    """
    wrk = await asyncio.create_subprocess_exec(
        *("wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"),
        *("--timeout", f"{_TIMEOUT_SECONDS}s", "--script", str(_SCRIPT), f"http://{address}"),
        env={**os.environ, "REQUESTS": str(requests)},
        stdout=asyncio.subprocess.PIPE,
    )
    written, _ = await wrk.communicate()
    sent, micros, p50, p99, errors = map(int, written.decode().splitlines()[-1].split())
    if errors >= sent:
        raise NotAnswered(f"none of {sent} requests to {address} over {connections} connections")
    return Rate(1e6 * (sent - errors) / micros, p50 / 1000, p99 / 1000, errors)
