"""Asking over HTTP as fast as answers come, with wrk (a package of Debian and Ubuntu)."""

import asyncio
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_SCRIPT = Path(__file__).with_name("requests.lua")
_LONGEST_SECONDS = 30


class WrkMissing(Exception):
    """There is no wrk on this machine."""


class NotAnswered(Exception):
    """No request got its answer."""


@dataclass(frozen=True, slots=True)
class Question:
    """One GET: its path and its headers."""

    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast answers came, and how long one took; `failed` got an error or nothing, and count for the times alone."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float
    failed: int = 0

    def measures(self) -> dict[str, float]:
        """Return the figures by name."""
        return asdict(self)


def find_wrk() -> str:
    """Return the path of wrk.

    Raises:
        WrkMissing: see there.
    """
    if found := shutil.which("wrk"):
        return found
    raise WrkMissing("There is no wrk on the PATH (Debian, Ubuntu: apt install wrk)")


def write(questions: Sequence[Question], path: Path) -> Path:
    """Write the questions to a file that nobody else may read: the headers hold secrets."""
    lines = [
        "\t".join([each.path, *(part for header in each.headers.items() for part in header)]) for each in questions
    ]
    path.touch(mode=0o600)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


async def ask(address: str, questions: Path, connections: int, seconds: int) -> Rate:
    """Ask the questions of the file in turn, over so many connections, for so long.

    Raises:
        NotAnswered: see there.
    """
    asking = await asyncio.create_subprocess_exec(
        find_wrk(),
        *("--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"),
        *("--timeout", f"{_LONGEST_SECONDS}s", "--script", str(_SCRIPT), f"http://{address}"),
        env={**os.environ, "REQUESTS": str(questions)},
        stdout=asyncio.subprocess.PIPE,
    )
    written, _ = await asking.communicate()
    requests, took, p50, p99, errors = map(int, written.decode().splitlines()[-1].split())
    if errors >= requests:
        raise NotAnswered(f"none of {requests} requests to {address} over {connections} connections")
    return Rate(1e6 * (requests - errors) / took, p50 / 1000, p99 / 1000, errors)
