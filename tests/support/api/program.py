"""`python -m services.api` as a process."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx

from deploy.local.local_client import local_client
from deploy.local.ports import HOST
from tests.support import service
from tests.support.api.client import PEPPER
from tests.support.eventually import eventually_blocking

START_SECONDS = service.ENDS_WITHIN


def run(*arguments: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Run the program, which must exit by itself."""
    return service.run("api", *arguments, **_usual(changes))


@contextmanager
def running(port: int, **changes: str | None) -> Iterator[subprocess.Popen[str]]:
    """Run the program, alive when the context begins, killed when it ends."""
    with service.running("api", **_usual({"API_PORT": str(port), **changes})) as process:
        wait_until_alive(port)
        yield process


def _usual(changes: Mapping[str, str | None]) -> dict[str, str | None]:
    # Which of the successful requests are logged is chance, so none is unless a test asks for it.
    return {"API_SECRET_PEPPER": PEPPER, "API_ACCESS_LOG": "0", **changes}


def wait_until_alive(port: int) -> None:
    """Return when the program answers."""
    eventually_blocking(lambda: _answers(port))


def _answers(port: int) -> bool:
    try:
        local_client().get(f"http://{HOST}:{port}/healthz").raise_for_status()
    except httpx.TransportError:
        return False
    return True
